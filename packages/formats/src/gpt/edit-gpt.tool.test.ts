import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openToolbox } from '@plinth/toolbox';
import { memoryReader } from '../block-reader.ts';
import { editGpt, type GptEdit } from './edit-gpt.ts';
import { readGptTables } from './gpt-tables.ts';

// What editGpt writes, read by the tools that made the disk: systemd-repart (libfdisk) and sgdisk.

const toolbox = await openToolbox();
const dir = await mkdtemp(join(tmpdir(), 'plinth-gpt-'));
after(() => rm(dir, { recursive: true }));
const binds = [{ host: dir, inside: '/mnt/work' }];
const tool = (program: string, ...args: string[]) => toolbox.run(program, args, { binds, cwd: '/mnt/work' });

const TYPES = ['esp', 'root', 'root-verity', 'root-verity-sig', 'root', 'root-verity', 'root-verity-sig'];
const EDITS: readonly GptEdit[] = [
  { number: 5, label: 'plinth_1.4.2', uuid: '11111111-2222-4333-8444-555555555555' },
  { number: 6, label: 'plinth_1.4.2_verity', uuid: '66666666-7777-4888-9999-aaaaaaaaaaaa' },
  { number: 7, label: 'plinth_1.4.2_sig', uuid: 'bbbbbbbb-cccc-4ddd-aeee-ffffffffffff' },
];

interface Listed {
  readonly label: string;
  readonly uuid: string;
  readonly offset: number;
  readonly raw_size: number;
}

/** What systemd-repart finds on a disk; it writes nothing. */
async function list(file: string, sectorBytes: number): Promise<Listed[]> {
  const { stdout } = await tool(
    'systemd-repart',
    '--dry-run=yes',
    '--json=short',
    '--empty=refuse',
    '--definitions=/mnt/work/repart.d',
    `--sector-size=${sectorBytes}`,
    `/mnt/work/${file}`,
  );
  return JSON.parse(stdout.toString());
}

for (const sectorBytes of [512, 4096]) {
  test(`systemd-repart and sgdisk read edited tables, ${sectorBytes}-byte sectors`, async () => {
    await rm(join(dir, 'old'), { force: true });
    await mkdir(join(dir, 'repart.d'), { recursive: true });
    for (const [index, type] of TYPES.entries()) {
      const text = `[Partition]\nType=${type}\nLabel=part${index + 1}\nSizeMinBytes=1M\nSizeMaxBytes=1M\n`;
      await writeFile(join(dir, 'repart.d', `${index + 1}0.conf`), text);
    }
    await tool(
      'systemd-repart',
      '--offline=yes',
      '--empty=create',
      '--size=16M',
      '--dry-run=no',
      '--definitions=/mnt/work/repart.d',
      `--sector-size=${sectorBytes}`,
      '/mnt/work/old',
    );
    const disk = new Uint8Array(await readFile(join(dir, 'old')));
    const before = await list('old', sectorBytes);
    assert.equal(before.length, TYPES.length);
    const expected = before.map((partition, index) => {
      const { label, uuid } = EDITS.find(({ number }) => number === index + 1) ?? partition;
      return { ...partition, label, uuid };
    });
    const seen = (partitions: readonly Listed[]) =>
      partitions.map(({ label, uuid, offset, raw_size }) => ({ label, uuid, offset, raw_size }));

    const writes = editGpt(await readGptTables(memoryReader(disk), { sectorBytes }), EDITS);
    const [backupEntries, backupHeader, primaryEntries, primaryHeader] = writes;
    assert.ok(backupEntries && backupHeader && primaryEntries && primaryHeader);
    const put = (target: Uint8Array, { bytes, offsetBytes }: typeof backupEntries) =>
      target.set(bytes, offsetBytes);

    // After each cut the tools see what readGptTables sees.
    const cut = disk.slice();
    put(cut, { ...backupEntries, bytes: backupEntries.bytes.subarray(0, 700) });
    await writeFile(join(dir, 'cut'), cut);
    assert.deepEqual(seen(await list('cut', sectorBytes)), seen(before), 'backup torn');
    put(cut, backupEntries);
    put(cut, backupHeader);
    await writeFile(join(dir, 'cut'), cut);
    assert.deepEqual(seen(await list('cut', sectorBytes)), seen(before), 'backup new, primary old');
    put(cut, { ...primaryEntries, bytes: primaryEntries.bytes.subarray(0, 700) });
    await writeFile(join(dir, 'cut'), cut);
    assert.deepEqual(seen(await list('cut', sectorBytes)), seen(expected), 'primary torn');
    // What mends it is planned from the torn disk.
    for (const write of editGpt(await readGptTables(memoryReader(cut), { sectorBytes }), [])) put(cut, write);
    await writeFile(join(dir, 'new'), cut);
    assert.deepEqual(seen(await list('new', sectorBytes)), seen(expected), 'whole');

    for (const write of writes) put(disk, write);
    assert.ok(Buffer.compare(disk, cut) === 0);
    if (sectorBytes === 512) {
      const { stdout } = await tool('sgdisk', '--verify', '/mnt/work/new');
      assert.match(stdout.toString(), /No problems found/);
    }
  });
}
