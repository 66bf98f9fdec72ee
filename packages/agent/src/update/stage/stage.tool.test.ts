import assert from 'node:assert/strict';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { openToolbox, type Toolbox } from '@plinth/toolbox';
import {
  bootEntryName,
  EMPTY_LABEL,
  emptySlotNames,
  type PartitionName,
  type SlotName,
  type SlotPartitionNames,
  slotNames,
  stagedEntryName,
} from '@plinth/updates';
import { type LyingServer, openLyingServer } from '../testing/lying-server.ts';
import { bundleStageProcess, runStageProcess } from '../testing/run-stage-process.ts';
import {
  publishReleases,
  type SampleRelease,
  sampleBlocks,
  sampleRelease,
} from '../testing/sample-release.ts';
import { sampleRepository } from '../testing/sample-repository.ts';
import type { StageOrder } from '../testing/stage-process.ts';

// The program as it is bundled for a node, with its flags, on a disk that sgdisk made, killed at many moments. partx (libblkid, as udev and
// the kernel's helpers read tables), sgdisk and veritysetup say what the disk holds then: they share no code with ours.

const BLOCKS = 2048;
const SECTOR = 512;
const MIB = 1024 * 1024;
const TYPES = {
  root: '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709',
  verity: '2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5',
  signature: '41092B05-9FC8-4523-994F-2DEF0408B176',
} as const;
const SIZES = { root: 10 * MIB, verity: MIB, signature: 16 * 1024 } as const;
type Part = keyof typeof TYPES;
const PARTS: readonly Part[] = ['root', 'verity', 'signature'];
const numberOf = (slot: SlotName, part: Part) => 2 + (slot === 'a' ? 0 : 3) + PARTS.indexOf(part);

suite('staging, killed at many moments', () => {
  let toolbox: Toolbox;
  let folder = '';
  let program = '';
  let server: LyingServer;
  const repository = sampleRepository();
  let running: SampleRelease;
  let offered: SampleRelease;
  let order: StageOrder;

  const tool = (name: string, ...args: readonly string[]) =>
    toolbox.run(name, args, { binds: [{ host: folder, inside: '/mnt/work' }], cwd: '/mnt/work' });

  before(async () => {
    toolbox = await openToolbox();
    folder = await mkdtemp(join(tmpdir(), 'plinth-stage-'));
    program = await bundleStageProcess(folder);
    const names = Array.from({ length: BLOCKS }, (_, index) => index);
    running = await sampleRelease('1.0', sampleBlocks(names));
    offered = await sampleRelease(
      '1.1',
      sampleBlocks(names.map((index) => (index % 3 === 0 ? `new ${index}` : index))),
      { ukiBytes: MIB },
    );
    publishReleases(repository, [offered]);
    server = await openLyingServer({ files: repository.files, bytesPerSecond: 8 * MIB });
    await writeFile(join(folder, 'root.json'), repository.trustedRoot);
    order = {
      ...{
        diskPath: join(folder, 'disk'),
        espFolder: join(folder, 'esp'),
        stateFolder: join(folder, 'state'),
      },
      ...{ trustedRootPath: join(folder, 'root.json'), addresses: [server.address] },
      booted: { rootNumber: numberOf('a', 'root'), version: running.version },
    };
  });
  after(async () => {
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A disk as it is after an installation: slot a filled, slot b empty. */
  async function makeDisk(): Promise<void> {
    const made = (number: number, sizeBytes: number, type: string, { label, uuid }: PartitionName) => [
      `--new=${number}:0:+${sizeBytes / 1024}K`,
      `--typecode=${number}:${type}`,
      `--partition-guid=${number}:${uuid}`,
      `--change-name=${number}:${label}`,
    ];
    const slot = (name: SlotName, names: SlotPartitionNames) =>
      PARTS.flatMap((part) => made(numberOf(name, part), SIZES[part], TYPES[part], names[part]));
    const esp = { label: 'esp', uuid: 'aaaaaaaa-0000-4000-8000-000000000001' };
    await rm(order.diskPath, { force: true });
    await writeFile(order.diskPath, '');
    const disk = await open(order.diskPath, 'r+');
    await disk.truncate(28 * MIB);
    await disk.close();
    const slots = [...slot('a', slotNames(running)), ...slot('b', emptySlotNames('b'))];
    await tool('sgdisk', '--clear', ...made(1, MIB, 'ef00', esp), ...slots, 'disk');
    for (const part of PARTS) await fill('a', part, running[part]);
    await rm(order.stateFolder, { recursive: true, force: true });
    await rm(order.espFolder, { recursive: true, force: true });
    await mkdir(order.espFolder);
    await writeFile(join(order.espFolder, bootEntryName(running.version)), running.uki);
  }

  /** Where partitions lie does not change; what they are called does. */
  async function partitions() {
    const columns = 'NR,START,SECTORS,UUID,NAME';
    const { stdout } = await tool('partx', '--raw', '--noheadings', '--output', columns, 'disk');
    return stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => {
        const [number, start, sectors, uuid = '', name = ''] = line.split(' ');
        return {
          number: Number(number),
          offset: Number(start) * SECTOR,
          sizeBytes: Number(sectors) * SECTOR,
          uuid,
          name,
        };
      });
  }

  async function place(slot: SlotName, part: Part) {
    const found = (await partitions()).find(({ number }) => number === numberOf(slot, part));
    assert.ok(found);
    return found;
  }

  async function fill(slot: SlotName, part: Part, bytes: Uint8Array): Promise<void> {
    const { offset } = await place(slot, part);
    const disk = await open(order.diskPath, 'r+');
    await disk.write(bytes, 0, bytes.length, offset);
    await disk.close();
  }

  async function content(slot: SlotName, part: Part): Promise<Buffer> {
    const { offset, sizeBytes } = await place(slot, part);
    const bytes = Buffer.alloc(sizeBytes);
    const disk = await open(order.diskPath, 'r');
    await disk.read(bytes, 0, sizeBytes, offset);
    await disk.close();
    return bytes;
  }

  /** veritysetup's word on a slot. */
  async function verify(slot: SlotName, { rootHash }: SampleRelease): Promise<void> {
    await writeFile(join(folder, 'data'), await content(slot, 'root'));
    await writeFile(join(folder, 'hash'), await content(slot, 'verity'));
    await tool('veritysetup', 'verify', 'data', 'hash', rootHash);
  }

  /** What has to hold at every moment. @returns the label of the slot that is written */
  async function assertSound(): Promise<string> {
    for (const part of PARTS) {
      assert.ok(
        (await content('a', part)).subarray(0, running[part].length).equals(Buffer.from(running[part])),
        part,
      );
    }
    assert.ok(
      (await readFile(join(order.espFolder, bootEntryName(running.version)))).equals(
        Buffer.from(running.uki),
      ),
    );
    const { name } = await place('b', 'root');
    if (name !== EMPTY_LABEL) await verify('b', offered);
    return name;
  }

  test('a program that is killed goes on at its next start; the tables, the running slot and labelled slots are sound', async () => {
    await makeDisk();
    const whole = await runStageProcess(program, folder, order);
    assert.equal(whole?.code, undefined, whole?.message ?? '');
    assert.equal(whole?.last?.phase, 'staged');
    await assertSound();
    let killed = 0;
    let labelled = 0;
    const wallMs = (whole?.wallMs ?? 0) + 400;
    for (let round = 0; round < 5; round++) {
      await makeDisk();
      for (let cut = 0; cut < 2; cut++) {
        const report = await runStageProcess(
          program,
          folder,
          order,
          Math.round(150 + (wallMs * ((round * 5 + cut * 7 + 1) % 24)) / 24),
        );
        if (!report) killed++;
        if ((await assertSound()) !== EMPTY_LABEL) labelled++;
      }
      const report = await runStageProcess(program, folder, order);
      assert.equal(report?.code, undefined, report?.message ?? '');
      assert.equal(await assertSound(), slotNames(offered).root.label);
      assert.match((await tool('sgdisk', '--verify', 'disk')).stdout.toString(), /No problems found/);
      assert.ok((await content('b', 'signature')).equals(Buffer.from(offered.signature)));
      assert.ok(
        (await readFile(join(order.espFolder, stagedEntryName(offered.version)))).equals(
          Buffer.from(offered.uki),
        ),
      );
    }
    assert.ok(killed >= 4, `${killed} kills, ${labelled} of them after the labels`);
  });

  test('labels are what the initrd looks for: the halves of the root hash, by libblkid', async () => {
    await makeDisk();
    await runStageProcess(program, folder, order);
    const names = slotNames(offered);
    for (const part of PARTS) {
      const { name, uuid } = await place('b', part);
      assert.deepEqual({ label: name, uuid: uuid.toLowerCase() }, names[part]);
    }
    assert.equal(
      names.root.uuid.replaceAll('-', '') + names.verity.uuid.replaceAll('-', ''),
      offered.rootHash,
    );
  });
});
