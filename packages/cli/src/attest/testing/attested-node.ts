import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectRouter } from '@connectrpc/connect';
import { ATTESTATION_CHANNEL, AttestationService } from '@plinth/api';
import { fakeExportKeys } from '@plinth/api/testing';
import { formatReference, type Reference, type Registers } from '@plinth/attest';
import { type PaperTpm, paperEvidence, paperTpm, recordedBoot } from '@plinth/attest/testing';
import { encodeText } from '@plinth/formats';
import { loadKeys, signDetached } from '@plinth/trust';

const boot = recordedBoot();
const told: Record<string, unknown> = JSON.parse(Buffer.from(boot.facts).toString('utf8'));

/** What a fake node attests from; tests exchange its parts. */
export interface AttestedNode {
  tpm: PaperTpm;
  registers: Registers;
  /** The id it tells. */
  nodeId: string;
  /** What else it tells of itself. */
  told: Readonly<Record<string, unknown>>;
  /** Its routes, on the TLS session of each call as a node has it. */
  readonly routes: (router: ConnectRouter) => void;
}

/** attestedNode is a node that booted as the recorded one, with a paper TPM of its own. */
export function attestedNode(): AttestedNode {
  const node: AttestedNode = {
    ...{ tpm: paperTpm(), registers: boot.registers, nodeId: '', told },
    routes: (router) => {
      router.service(AttestationService, {
        getAttestationKeys: () => ({ ekPublic: node.tpm.ekPublic, akPublic: node.tpm.akPublic }),
        activateCredential: (credential) => ({
          secret: node.tpm.activate(credential) ?? new Uint8Array(32),
        }),
        attest: ({ nonce }, context) => {
          const { lengthBytes, label } = ATTESTATION_CHANNEL;
          const channel = fakeExportKeys(context, lengthBytes, label, nonce);
          const facts = encodeText(JSON.stringify({ ...node.told, nodeId: node.nodeId }));
          const parts = { ...boot, registers: node.registers, facts };
          const evidence = paperEvidence(node.tpm, { nonce, channel }, parts);
          return { ...evidence, registers: evidence.registers.map((each) => ({ ...each })) };
        },
      });
    },
  };
  return node;
}

/** writeReleasePapers writes what attestation reads of a release, signed by the keys in a folder; gives the release's folder. */
export async function writeReleasePapers(
  root: string,
  keysFolder: string,
  version: string,
  reference: Reference = boot.reference,
): Promise<string> {
  const folder = join(root, `plinth_${version}`);
  const name = `plinth_${version}_x86-64.reference.json`;
  const text = formatReference({ ...reference, version });
  const sums = `${createHash('sha256').update(text).digest('hex')}  ${name}\n`;
  const { signers } = await loadKeys(keysFolder);
  await mkdir(folder);
  await writeFile(join(folder, `plinth_${version}_x86-64.manifest.json`), '{}');
  await writeFile(join(folder, name), text);
  await writeFile(join(folder, 'SHA256SUMS'), sums);
  await writeFile(join(folder, 'SHA256SUMS.p7s'), await signDetached(signers.release, Buffer.from(sums)));
  return folder;
}
