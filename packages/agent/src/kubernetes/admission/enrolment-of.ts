import type { TpmEnrolment } from '@plinth/api';
import { type Enrolment, formatEnrolment } from '@plinth/attest';
import { hex } from '@plinth/formats';
import type { InvitedNode } from '../access/cluster-access.ts';

/** enrolmentOf is what an inviting client says of a node's TPM, as it is kept. @throws attest/book-invalid */
export function enrolmentOf(
  { nodeId, nodeName }: InvitedNode,
  { ekPublic, akPublic, vouchedBy, firmware }: TpmEnrolment,
  nowMs: number,
): Enrolment {
  const enrolment: Enrolment = {
    ...{ format: 1, nodeId, nodeName, vouchedBy, newestVersion: '' },
    ...{ ekPublic: hex(ekPublic), akPublic: hex(akPublic), enrolledAt: new Date(nowMs).toISOString() },
    firmware: firmware.map(({ index, sha256 }) => ({ pcr: index, sha256: hex(sha256) })),
  };
  formatEnrolment(enrolment); // refuses what could not be read back
  return enrolment;
}
