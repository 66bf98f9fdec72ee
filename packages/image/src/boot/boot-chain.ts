import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  addPeSection,
  encodeText,
  hex,
  type PcrAtPhase,
  predictPcr4,
  predictPcr11,
  readUki,
  SEALING_PHASE,
} from '@plinth/formats';
import type { Toolbox } from '@plinth/toolbox';
import {
  pcrPublicKeyPem,
  type Signer,
  signIpePolicy,
  signPcrPolicies,
  signPe,
  signRootHash,
} from '@plinth/trust';
import type { OsSpec } from '../spec/os-spec.ts';
import { closeStub } from './close-stub.ts';
import { makeUki } from './make-uki.ts';
import { veritySignatureJson } from './verity-signature.ts';

/** The signers of an image; each signs one kind of thing. */
export interface BuildKeys {
  /** In the UEFI db: signs the boot loader and UKIs. */
  readonly boot: Signer;
  /** In the UEFI db too, so that the kernel knows it: signs root hashes and the policy of IPE. */
  readonly verity: Signer;
  /** Signs the PCR values a boot may have, for secrets sealed to them. */
  readonly pcr: Signer;
  /** Signs the release: checksums and provenance. */
  readonly release: Signer;
}

export interface BootChainInputs {
  readonly spec: OsSpec;
  readonly rootHash: string;
  readonly kernelPath: string;
  readonly kernelVersion: string;
  readonly initrdPath: string;
  readonly stubPath: string;
  readonly loaderPath: string;
  readonly osReleasePath: string;
  /** Text of the policy that the kernel gets. */
  readonly ipePolicy: string;
  readonly keys: BuildKeys;
  readonly toolbox: Toolbox;
  readonly epochSeconds: number;
}

/** PCR values a machine has after booting this image, hex; see UAPI.7 for who measures what. */
export interface PredictedPcrs {
  /** Boot loader and UKI, under Secure Boot and without. */
  readonly pcr4: { readonly secureBoot: string; readonly noSecureBoot: string };
  /** The parts of the UKI and the boot phases, by phase path. */
  readonly pcr11: Readonly<Record<string, string>>;
}

/** Names of the files makeBootChain leaves in its folder. */
export const BOOT_FILES = {
  uki: 'plinth.efi',
  unsignedUki: 'plinth.unsigned.efi',
  loader: 'systemd-boot.efi',
  veritySignature: 'root.sig.json',
  pcrs: 'pcrs.json',
} as const;

/**
 * makeBootChain makes everything the firmware and the kernel check: the signature of the root hash, the UKI with its
 * PCR policy signatures, the signed boot loader, and the PCR values to expect.
 * @param folder receives BOOT_FILES
 */
export async function makeBootChain(inputs: BootChainInputs, folder: string): Promise<void> {
  const { keys, rootHash } = inputs;
  const rootHashSignature = await signRootHash(keys.verity, rootHash);
  const ipePolicy = await signIpePolicy(keys.verity, inputs.ipePolicy);
  const stub = closeStub(await readFile(inputs.stubPath));
  const draftPath = await makeUki(
    { ...inputs, stub, rootHashSignature, ipePolicy, pcrPublicKeyPem: pcrPublicKeyPem(keys.pcr) },
    folder,
    'draft.efi',
    inputs.toolbox,
  );
  const draft = await readFile(draftPath);
  const phases = predictPcr11(readUki(draft).sections);
  const sealing = phases.filter(({ phase }) => phase === SEALING_PHASE);
  const unsigned = addPeSection(draft, '.pcrsig', encodeText(await signPcrPolicies(keys.pcr, sealing)));
  await rm(draftPath);
  await writeFile(join(folder, BOOT_FILES.unsignedUki), unsigned);
  const uki = await signPe(keys.boot, unsigned);
  const loader = await signPe(keys.boot, await readFile(inputs.loaderPath));
  await writeFile(join(folder, BOOT_FILES.uki), uki);
  await writeFile(join(folder, BOOT_FILES.loader), loader);
  await writeFile(
    join(folder, BOOT_FILES.veritySignature),
    veritySignatureJson(rootHash, rootHashSignature, keys.verity.certificateDer),
  );
  await writeFile(
    join(folder, BOOT_FILES.pcrs),
    `${JSON.stringify(predict(loader, uki, phases), undefined, 2)}\n`,
  );
}

function predict(loader: Uint8Array, uki: Uint8Array, phases: readonly PcrAtPhase[]): PredictedPcrs {
  return {
    pcr4: {
      secureBoot: hex(predictPcr4({ loader, uki, secureBoot: true })),
      noSecureBoot: hex(predictPcr4({ loader, uki, secureBoot: false })),
    },
    pcr11: Object.fromEntries(phases.map(({ phase, value }) => [phase, hex(value)])),
  };
}
