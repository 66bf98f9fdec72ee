export { ATTESTED_PCRS, challenge, extraDataOf, NONCE_BYTES, pcrDigestOf } from './challenge.ts';
export {
  afterPass,
  type Enrolment,
  formatEnrolment,
  knownNode,
  parseEnrolment,
} from './cluster/enrolment.ts';
export {
  type AdmissionRule,
  admissionRules,
  type ClusterVerification,
  ENROLMENT_KEY,
  ENROLMENT_LABEL,
  enrolmentName,
  formatVerification,
  parseVerification,
  VERIFICATION_SECRET,
} from './cluster/verification.ts';
export { describeRefusal } from './judge/describe-refusal.ts';
export { explainRegisters } from './judge/explain-registers.ts';
export { FIRMWARE_PCRS, judgeEvidence } from './judge/judge-evidence.ts';
export {
  type EvidenceParts,
  type Exchange,
  type Judgement,
  type KnownNode,
  REASONS,
  type Reason,
} from './judge/judgement.ts';
export { readFirmwareLog } from './log/read-firmware-log.ts';
export { readSystemLog } from './log/read-system-log.ts';
export type { Registers } from './log/replay.ts';
export type { ComparedEvent } from './reference/compare.ts';
export { makeReference, type ReferenceInputs } from './reference/make-reference.ts';
export { formatReference, parseReference, type Reference } from './reference/reference.ts';
export { makeCredential } from './tpm/make-credential.ts';
export { isAttestationKey, isEndorsementKey, type PublicArea, readPublicArea } from './tpm/public-area.ts';
export { readQuote } from './tpm/quote.ts';
export { type Tpm, tpmOver } from './tpm/tpm.ts';
