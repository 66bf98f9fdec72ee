import { cp, mkdir, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hexUuid, seededUuid } from '@plinth/formats';
import type { Toolbox } from '@plinth/toolbox';
import { releaseNames } from '@plinth/updates';
import { slotLabel } from '../boot/slot-label.ts';
import { padSignature } from '../boot/verity-signature.ts';
import type { RootImage } from '../root/make-root.ts';
import type { OsSpec } from '../spec/os-spec.ts';
import { readDiskSizeMiB } from './slot-sizes.ts';

export interface DiskInputs {
  readonly spec: OsSpec;
  readonly root: RootImage;
  /** JSON of the verity-sig partition, see verity-signature.ts. */
  readonly veritySignatureJson: string;
  readonly bootLoaderPath: string;
  readonly ukiPath: string;
  readonly epochSeconds: number;
}

/** Settings the build adds to a definition of os/repart.d, as the text of a drop-in. */
type DropIns = Readonly<Record<string, readonly string[]>>;

/**
 * planPartitions gives what the build adds to os/repart.d: contents and identity of slot A, the empty label of B.
 * The UUIDs of slot A are the two halves of its root hash (UAPI.2), so that the slot can be found by it.
 */
export function planPartitions(spec: OsSpec, rootHash: string): DropIns {
  const label = slotLabel(spec);
  return {
    '10-esp.conf': ['Format=vfat', 'CopyFiles=/out/esp:/'],
    '20-root-a.conf': [
      `Label=${label}`,
      `UUID=${hexUuid(rootHash.slice(0, 32))}`,
      'CopyBlocks=/in/root.erofs',
      'ReadOnly=yes',
    ],
    '21-root-a-verity.conf': [
      `Label=${label}_verity`,
      `UUID=${hexUuid(rootHash.slice(32))}`,
      'CopyBlocks=/in/root.verity',
      'ReadOnly=yes',
    ],
    '22-root-a-verity-sig.conf': [`Label=${label}_sig`, 'CopyBlocks=/out/root.sig', 'ReadOnly=yes'],
    '30-root-b.conf': ['Label=_empty'],
    '31-root-b-verity.conf': ['Label=_empty'],
    '32-root-b-verity-sig.conf': ['Label=_empty'],
  };
}

/**
 * makeDisk writes the raw disk by systemd-repart from os/repart.d and the drop-ins of planPartitions.
 * @param output folder that receives disk.raw
 */
export async function makeDisk(
  inputs: DiskInputs,
  osDir: string,
  output: string,
  toolbox: Toolbox,
): Promise<string> {
  const { spec } = inputs;
  const definitions = join(output, 'repart.d');
  await cp(join(osDir, 'repart.d'), definitions, { recursive: true });
  // Made by the node on its first boot, from the free space of its own disk.
  await rm(join(definitions, '40-var.conf'));
  for (const [name, lines] of Object.entries(planPartitions(spec, inputs.root.rootHash))) {
    await mkdir(join(definitions, `${name}.d`));
    await writeFile(join(definitions, `${name}.d`, 'build.conf'), ['[Partition]', ...lines, ''].join('\n'));
  }
  await writeFile(join(output, 'root.sig'), padSignature(inputs.veritySignatureJson));
  await makeEsp(inputs, join(output, 'esp'));
  await toolbox.run(
    'systemd-repart',
    [
      '--offline=yes',
      '--empty=create',
      `--size=${await readDiskSizeMiB(definitions)}M`,
      // OVMF and other firmware cannot read a FAT with 4096-byte sectors, the default of systemd-repart.
      '--sector-size=512',
      `--seed=${seededUuid(`${spec.name} ${spec.version} disk`)}`,
      '--dry-run=no',
      '--definitions=/mnt/out/repart.d',
      '--root=/mnt',
      '/mnt/out/disk.raw',
    ],
    {
      env: { SOURCE_DATE_EPOCH: String(inputs.epochSeconds) },
      binds: [
        { host: dirname(inputs.root.imagePath), inside: '/mnt/in', readOnly: true },
        { host: output, inside: '/mnt/out' },
      ],
    },
  );
  return join(output, 'disk.raw');
}

async function makeEsp(inputs: DiskInputs, folder: string): Promise<void> {
  const { spec } = inputs;
  for (const path of ['EFI/BOOT', 'EFI/systemd', 'EFI/Linux', 'loader'])
    await mkdir(join(folder, path), { recursive: true });
  await cp(inputs.bootLoaderPath, join(folder, 'EFI/BOOT/BOOTX64.EFI'));
  await cp(inputs.bootLoaderPath, join(folder, 'EFI/systemd/systemd-bootx64.efi'));
  // Without counters: to count, firmware renames the file, and a power cut in that moment can take the only name (ADR 0027). There is
  // nothing to fall back to either.
  await cp(inputs.ukiPath, join(folder, 'EFI/Linux', releaseNames(spec.name, spec.version).uki));
  await writeFile(
    join(folder, 'loader/loader.conf'),
    `timeout ${spec.boot.timeoutSeconds}\nconsole-mode keep\neditor no\nauto-firmware no\n`,
  );
  // FAT keeps times of its own: without this every build would differ.
  for (const path of [...(await readdir(folder, { recursive: true })), '.']) {
    await utimes(join(folder, path), inputs.epochSeconds, inputs.epochSeconds);
  }
}
