import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { relaxName } from '@plinth/image/testing';
import type { ExtraDrive } from '@plinth/local';
import type { BootLab } from './boot-lab.ts';

const RELEASE = 'usr/lib/extension-release.d/extension-release.kubernetes';

/** A layer made for a test by systemd's own tool, not by the builder. */
export interface SmallLayer {
  readonly version: string;
  /** SYSEXT_LEVEL it was made for. */
  readonly level: string;
  /** Folder of the keys of the one who signs the root hash, without a passphrase; undefined: nobody. */
  readonly signedBy: string | undefined;
  /** Beside its extension-release. */
  readonly files: Readonly<Record<string, string>>;
}

/** makeSmallLayer writes an image that systemd-sysext knows as "kubernetes". @returns its path */
export async function makeSmallLayer(lab: BootLab, name: string, layer: SmallLayer): Promise<string> {
  const folder = join(lab.scratch, `layer-${name}`);
  const release = [
    'ID=plinth',
    `SYSEXT_LEVEL=${layer.level}`,
    'ARCHITECTURE=x86-64',
    'EXTENSION_RELOAD_MANAGER=1',
    'IMAGE_ID=kubernetes',
    `IMAGE_VERSION=${layer.version}`,
    '',
  ].join('\n');
  const files = { [RELEASE]: release, ...layer.files };
  for (const [path, text] of Object.entries(files)) await write(join(folder, 'tree', path), text);
  await relaxName(lab.toolbox, join(folder, 'tree', RELEASE));
  const signer = layer.signedBy === undefined ? undefined : await veritySigner(layer.signedBy);
  const verity = signer ? ['data', 'hash', 'signature'] : ['data', 'hash'];
  for (const part of verity) {
    const type = { data: 'root', hash: 'root-verity', signature: 'root-verity-sig' }[part];
    const content = part === 'data' ? ['Format=erofs', 'CopyFiles=/', 'Minimize=best'] : [];
    const lines = [
      '[Partition]',
      `Type=${type}`,
      `Label=${partLabel(part)}`,
      `Verity=${part}`,
      'VerityMatchKey=root',
      ...content,
    ];
    await write(join(folder, 'repart.d', `${part}.conf`), [...lines, ''].join('\n'));
  }
  const signing = signer ? ['--private-key=/keys/key', '--certificate=/keys/certificate'] : [];
  await lab.toolbox.run(
    'systemd-repart',
    [
      ...['--offline=yes', '--empty=create', '--size=auto', '--dry-run=no', '--sector-size=512'],
      ...['--definitions=/layer/repart.d', '--copy-source=/layer/tree', ...signing, '/layer/layer.raw'],
    ],
    {
      binds: [
        { host: folder, inside: '/layer' },
        ...(signer
          ? [
              { host: signer.key, inside: '/keys/key', readOnly: true },
              { host: signer.certificate, inside: '/keys/certificate', readOnly: true },
            ]
          : []),
      ],
    },
  );
  return join(folder, 'layer.raw');
}

async function veritySigner(folder: string): Promise<{ key: string; certificate: string }> {
  const names = (await readdir(folder)).filter((name) => name.startsWith('verity-'));
  const [certificate, key] = ['.crt.pem', '.key.pem'].map((end) => names.find((name) => name.endsWith(end)));
  assert.ok(key && certificate, `no key for root hashes in ${folder}`);
  return { key: join(folder, key), certificate: join(folder, certificate) };
}

/** partLabel names one part of a small layer: "data", "hash" or "signature". */
export function partLabel(part: string): string {
  return `small-${part}`;
}

/** layerDrive is a drive as the node finds layers: read-only, its version in the serial number. */
export function layerDrive(path: string, version: string): ExtraDrive {
  return { path, format: 'raw', readOnly: true, serial: `kubernetes-${version}` };
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
