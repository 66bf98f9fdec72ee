import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hexUuid, seededUuid } from '@plinth/formats';
import type { Toolbox } from '@plinth/toolbox';
import { type Signer, signRootHash } from '@plinth/trust';
import { padSignature, veritySignatureJson } from '../boot/verity-signature.ts';
import type { RootImage } from '../root/make-root.ts';

export interface ExtensionInputs {
  readonly name: string;
  readonly version: string;
  /** What its partitions are called, at most 29 characters (a GPT has room for 36); default: name and version. */
  readonly label?: string;
  readonly root: RootImage;
  readonly key: Signer;
  readonly toolbox: Toolbox;
  readonly epochSeconds: number;
}

/** extensionFileName is the name of a layer in a release: name, version, architecture (UAPI.3). */
export function extensionFileName(name: string, version: string): string {
  return `${name}_${version}_x86-64.sysext.raw`;
}

/**
 * makeExtension writes a discoverable disk image (UAPI.3) that systemd-sysext merges into /usr: file system, hash tree
 * and signed root hash, as three partitions that find each other by the halves of the root hash (UAPI.2).
 * @param output folder that receives the image
 */
export async function makeExtension(inputs: ExtensionInputs, output: string): Promise<string> {
  const { name, version, root, key, toolbox, epochSeconds } = inputs;
  const file = extensionFileName(name, version);
  const signature = await signRootHash(key, root.rootHash);
  const json = veritySignatureJson(root.rootHash, signature, key.certificateDer);
  await writeFile(join(output, 'root.sig'), padSignature(json));
  const definitions = join(output, 'repart.d');
  await mkdir(definitions);
  for (const [path, lines] of Object.entries(planExtension(name, version, root.rootHash, inputs.label))) {
    await writeFile(
      join(definitions, path),
      ['[Partition]', ...lines, 'SizeMinBytes=4K', 'ReadOnly=yes', ''].join('\n'),
    );
  }
  await toolbox.run(
    'systemd-repart',
    [
      '--offline=yes',
      '--empty=create',
      '--size=auto',
      '--sector-size=512',
      `--seed=${seededUuid(`${name} ${version} extension`)}`,
      '--dry-run=no',
      '--definitions=/mnt/out/repart.d',
      '--root=/mnt',
      `/mnt/out/${file}`,
    ],
    {
      env: { SOURCE_DATE_EPOCH: String(epochSeconds) },
      binds: [
        { host: join(root.imagePath, '..'), inside: '/mnt/in', readOnly: true },
        { host: output, inside: '/mnt/out' },
      ],
    },
  );
  for (const path of [definitions, join(output, 'root.sig')]) await rm(path, { recursive: true });
  return join(output, file);
}

/** planExtension gives the definitions of the partitions (repart.d(5)), by file name. */
export function planExtension(
  name: string,
  version: string,
  rootHash: string,
  label = `${name}_${version}`,
): Record<string, string[]> {
  return {
    '10-root.conf': [
      'Type=root',
      `Label=${label}`,
      `UUID=${hexUuid(rootHash.slice(0, 32))}`,
      'CopyBlocks=/in/root.erofs',
    ],
    '20-root-verity.conf': [
      'Type=root-verity',
      `Label=${label}_verity`,
      `UUID=${hexUuid(rootHash.slice(32))}`,
      'CopyBlocks=/in/root.verity',
    ],
    '30-root-verity-sig.conf': ['Type=root-verity-sig', `Label=${label}_sig`, 'CopyBlocks=/out/root.sig'],
  };
}
