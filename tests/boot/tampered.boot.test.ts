import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { Verdict } from '@plinth/api';
import { removeCertificates } from '@plinth/formats';
import { type Signer, signPe, signRootHash } from '@plinth/trust';
import { attack } from '../testkit/attack-report.ts';
import { bootImage, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { copyDisk, type DiskCopy } from '../testkit/disk-copy.ts';
import { type Esp, openEsp } from '../testkit/esp.ts';
import { makeForeignSigner } from '../testkit/foreign-signer.ts';
import { verdictOf } from '../testkit/node-answers.ts';
import {
  fileOffset,
  flipInSection,
  flipInSignature,
  replaceRootHash,
  replaceRootHashSignature,
  rootHashOf,
  ukiPath,
} from '../testkit/tampering.ts';

const VERITY_BLOCK_BYTES = 4096;
const EROFS_SUPERBLOCK_OFFSET = 1024;
/** Somewhere in the JSON of the signature partition, which is about a kilobyte long. */
const SIGNATURE_JSON_OFFSET = 500;

interface Target {
  readonly lab: BootLab;
  readonly disk: DiskCopy;
  readonly esp: Esp;
  readonly foreign: Signer;
}

interface Tampering {
  readonly title: string;
  readonly stoppedBy: 'the firmware' | 'the boot loader' | 'the kernel';
  /** What the console must say. */
  readonly reason: RegExp;
  tamper(target: Target): Promise<void>;
}

const LOADER = 'EFI/BOOT/BOOTX64.EFI';
const firmwareRefuses = {
  stoppedBy: 'the firmware',
  reason: /BdsDxe: failed to load .*: Access Denied/,
} as const;
const loaderRefuses = { stoppedBy: 'the boot loader', reason: /Access denied|Security violation/i } as const;
const kernelRefuses = { stoppedBy: 'the kernel', reason: /verity.*corrupt/i } as const;

const tamperings: readonly Tampering[] = [
  {
    title: 'a bit of the boot loader',
    ...firmwareRefuses,
    tamper: ({ esp }) => changeFile(esp, LOADER, (program) => flipInSection(program, '.text')),
  },
  {
    title: 'a boot loader signed by a foreign key',
    ...firmwareRefuses,
    tamper: ({ esp, foreign }) =>
      changeFile(esp, LOADER, (program) => signPe(foreign, removeCertificates(program))),
  },
  {
    title: 'a bit of the kernel in the UKI',
    ...loaderRefuses,
    tamper: ({ esp }) => changeUki(esp, (uki) => flipInSection(uki, '.linux')),
  },
  {
    title: 'a bit of the initrd in the UKI, which carries the signature of the root hash',
    ...loaderRefuses,
    tamper: ({ esp }) => changeUki(esp, (uki) => flipInSection(uki, '.initrd')),
  },
  {
    title: 'a bit of the signature of the UKI',
    ...loaderRefuses,
    tamper: ({ esp }) => changeUki(esp, flipInSignature),
  },
  {
    title: 'a UKI without a signature',
    ...loaderRefuses,
    tamper: ({ esp }) => changeUki(esp, removeCertificates),
  },
  {
    title: 'a UKI signed by a foreign key',
    ...loaderRefuses,
    tamper: ({ esp, foreign }) => changeUki(esp, (uki) => signPe(foreign, removeCertificates(uki))),
  },
  {
    title: 'another root hash in the UKI',
    ...loaderRefuses,
    tamper: ({ esp }) => changeUki(esp, replaceRootHash),
  },
  {
    title: 'a root hash signed by a foreign key, in a UKI signed by ours',
    stoppedBy: 'the kernel',
    reason: /verity: Root hash verification failed/,
    tamper: ({ lab, esp, foreign }) =>
      changeUki(esp, async (uki) => {
        const rootHash = rootHashOf(uki);
        const ours = await signRootHash(lab.keys.signers.verity, rootHash);
        const theirs = await signRootHash(foreign, rootHash);
        const forged = replaceRootHashSignature(removeCertificates(uki), ours, theirs);
        return signPe(lab.keys.signers.boot, forged);
      }),
  },
  {
    title: 'a bit of the superblock of the root',
    ...kernelRefuses,
    tamper: ({ lab, disk }) => disk.flipBit(rootOffset(lab, disk) + EROFS_SUPERBLOCK_OFFSET),
  },
  {
    title: 'a bit of /usr/lib/systemd/systemd in the root',
    ...kernelRefuses,
    async tamper({ lab, disk }) {
      const label = `plinth_${lab.release.version}`;
      await disk.flipBit(await fileOffset(lab.toolbox, disk, label, '/usr/lib/systemd/systemd'));
    },
  },
  {
    title: 'a bit of the top of the hash tree',
    ...kernelRefuses,
    // The first block of the partition describes the tree, the second is the one that the root hash is the hash of.
    tamper: ({ lab, disk }) =>
      disk.flipBit(disk.partition(`plinth_${lab.release.version}_verity`).offsetBytes + VERITY_BLOCK_BYTES),
  },
];

suite('a changed image does not boot', { concurrency: 2 }, () => {
  let lab: BootLab;
  let foreign: Signer;

  before(async () => {
    lab = await openBootLab();
    foreign = await makeForeignSigner(join(lab.scratch, 'foreign'));
  });
  after(() => lab[Symbol.asyncDispose]());

  for (const [index, { title, stoppedBy, reason, tamper }] of tamperings.entries()) {
    test(`${title}: ${stoppedBy} stops it`, async () => {
      const name = `tampered-${index}`;
      const disk = await copyDisk(lab.release.diskPath, join(lab.scratch, `${name}.raw`));
      await tamper({ lab, disk, esp: openEsp(lab.toolbox, disk), foreign });
      const spec = { disk: { kind: 'raw', path: disk.path } } as const;
      await using booted = await bootImage(lab, name, { title, expected: `stopped by ${stoppedBy}`, spec });
      await attack(lab, `Boot a disk with ${title}`, { outcome: 'refused', by: stoppedBy }, () => {
        const said = booted.lines.join('\n');
        assert.equal(booted.outcome.kind, 'failed', `the console ends with: ${said.slice(-500)}`);
        assert.match(said, reason);
        assert.doesNotMatch(said, /plinth: api ready/);
        return booted.lines.find((line) => reason.test(line)) ?? '';
      });
    });
  }

  test('a bit of the signature partition, which no boot reads: the node says so', async () => {
    const name = 'tampered-signature';
    const disk = await copyDisk(lab.release.diskPath, join(lab.scratch, `${name}.raw`));
    const { offsetBytes } = disk.partition(`plinth_${lab.release.version}_sig`);
    await disk.flipBit(offsetBytes + SIGNATURE_JSON_OFFSET);
    await using booted = await bootImage(lab, name, {
      title: 'a bit of the signature partition',
      expected: 'up, integrity check slot-signature fails',
      spec: { disk: { kind: 'raw', path: disk.path } },
    });
    using client = lab.owner.connect(endpointOf(booted));
    const by = "plinthd's integrity";
    await attack(lab, 'Change the signature partition of a slot', { outcome: 'detected', by }, async () => {
      const { verdict, checks } = await client.getIntegrity();
      assert.equal(verdictOf(checks, 'slot-signature'), Verdict.FAIL);
      assert.equal(verdict, Verdict.FAIL);
      return checks.find(({ id }) => id === 'slot-signature')?.observed ?? '';
    });
  });
});

function rootOffset(lab: BootLab, disk: DiskCopy): number {
  return disk.partition(`plinth_${lab.release.version}`).offsetBytes;
}

async function changeFile(
  esp: Esp,
  path: string,
  change: (program: Uint8Array) => Uint8Array | Promise<Uint8Array>,
): Promise<void> {
  const before = await esp.read(path);
  const after = await change(before);
  assert.ok(!before.equals(after), `${path} was to be changed`);
  await esp.write(path, after);
}

async function changeUki(
  esp: Esp,
  change: (uki: Uint8Array) => Uint8Array | Promise<Uint8Array>,
): Promise<void> {
  await changeFile(esp, await ukiPath(esp), change);
}
