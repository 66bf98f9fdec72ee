import type { NodeClient } from '@plinth/api';
import type { Enrolment } from '@plinth/attest';
import type { CommandContext } from '../framework/context.ts';
import { printable } from '../output/printable.ts';
import { enrolNode } from './attest-node.ts';
import { readEnrolment, writeEnrolment } from './enrolment-book.ts';

/**
 * tpmOf is what this computer knows of the TPM of a node, for the cluster that the node is to join; a node that it does not
 * know is enrolled now. @throws as enrolNode; attest/book-invalid, host/io
 */
export async function tpmOf(node: NodeClient, nodeId: string, nodeName: string, env: CommandContext['env']) {
  const known = await readEnrolment(env, nodeId);
  if (known) return messageOf(known);
  const enrolment = await enrolNode(node, nodeId, printable(nodeName), undefined);
  await writeEnrolment(env, enrolment);
  return messageOf(enrolment);
}

function messageOf({ ekPublic, akPublic, vouchedBy, firmware }: Enrolment) {
  const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
  return {
    ...{ ekPublic: bytes(ekPublic), akPublic: bytes(akPublic), vouchedBy },
    firmware: firmware.map(({ pcr, sha256 }) => ({ index: pcr, sha256: bytes(sha256) })),
  };
}
