import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeCpio } from '@plinth/formats';
import type { Toolbox } from '@plinth/toolbox';
import { kernelArguments, type OsSpec } from '../spec/os-spec.ts';
import { ipeLoading } from './ipe-loading.ts';
import { rootOpening, SIGNATURE_PATH } from './root-opening.ts';
import { slotLabel } from './slot-label.ts';

/** commandLine is the kernel command line of an image: what os/plinth.yaml says and the root hash. */
export function commandLine(spec: OsSpec, rootHash: string): string {
  const options = [`root-hash-signature=/${SIGNATURE_PATH}`, ...spec.verityOptions].join(',');
  return [
    ...kernelArguments(spec),
    // For plinthd, which holds it against what the kernel tells of /var.
    ...(spec.storage.var.encrypt === 'tpm2' ? ['plinth.encrypt_var=tpm2'] : []),
    `roothash=${rootHash}`,
    `systemd.verity_root_options=${options}`,
  ].join(' ');
}

export interface UkiInputs {
  readonly spec: OsSpec;
  readonly kernelPath: string;
  readonly kernelVersion: string;
  readonly initrdPath: string;
  /** systemd's stub, closed for arguments from outside; see closeStub. */
  readonly stub: Uint8Array;
  readonly osReleasePath: string;
  readonly rootHash: string;
  /** CMS over the root hash, DER. */
  readonly rootHashSignature: Uint8Array;
  /** The signed policy of IPE. */
  readonly ipePolicy: Uint8Array;
  /** Public half of the key that signs PCR policies, PEM. */
  readonly pcrPublicKeyPem: string;
  readonly epochSeconds: number;
}

/**
 * makeUki puts kernel, initrd, command line and identity into one unsigned PE file by ukify (UAPI.5).
 * It has no .pcrsig yet: that section signs what the others measure.
 */
export async function makeUki(
  inputs: UkiInputs,
  folder: string,
  name: string,
  toolbox: Toolbox,
): Promise<string> {
  const { spec } = inputs;
  await mkdir(folder, { recursive: true });
  const { rootHash, rootHashSignature } = inputs;
  const opening = rootOpening(rootHash, rootHashSignature, spec.verityOptions, slotLabel(spec));
  const entries = [...opening, ...ipeLoading(inputs.ipePolicy)];
  await writeFile(join(folder, 'opening.cpio'), writeCpio(entries, { mtimeSeconds: inputs.epochSeconds }));
  await writeFile(join(folder, 'stub.efi'), inputs.stub);
  await writeFile(join(folder, 'cmdline'), commandLine(spec, inputs.rootHash));
  await writeFile(join(folder, 'pcr.pem'), inputs.pcrPublicKeyPem);
  await writeFile(join(folder, 'sbat.csv'), sbat(spec));
  await toolbox.run(
    'ukify',
    [
      'build',
      '--linux=/mnt/kernel',
      '--initrd=/mnt/initrd',
      '--initrd=/mnt/uki/opening.cpio',
      '--cmdline=@/mnt/uki/cmdline',
      '--os-release=@/mnt/os-release',
      `--uname=${inputs.kernelVersion}`,
      '--stub=/mnt/uki/stub.efi',
      '--sbat=@/mnt/uki/sbat.csv',
      '--pcrpkey=/mnt/uki/pcr.pem',
      `--output=/mnt/uki/${name}`,
    ],
    {
      binds: [
        { host: folder, inside: '/mnt/uki' },
        { host: inputs.kernelPath, inside: '/mnt/kernel', readOnly: true },
        { host: inputs.initrdPath, inside: '/mnt/initrd', readOnly: true },
        { host: inputs.osReleasePath, inside: '/mnt/os-release', readOnly: true },
      ],
    },
  );
  return join(folder, name);
}

/** Generation 1 of this image in the revocation scheme of the shim project (SBAT.md); raised when a build must be revoked. */
function sbat(spec: OsSpec): string {
  return [
    'sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md',
    `${spec.name},1,${spec.prettyName},${spec.name},${spec.version},${spec.homepage}`,
    '',
  ].join('\n');
}
