import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { formatReference, parseReference, type Reference } from '../reference/reference.ts';

/** The Secret in kube-system by which control planes judge nodes; without it they ask for no proof. */
export const VERIFICATION_SECRET = 'plinth-attestation';
/** Label of the ConfigMaps in kube-system that hold an enrolment each. */
export const ENROLMENT_LABEL = 'plinth.dev/tpm-enrolment';
/** Key of the enrolment in such a ConfigMap. */
export const ENROLMENT_KEY = 'enrolment.json';

/** enrolmentName is the name of the ConfigMap with the enrolment of a node. */
export function enrolmentName(nodeName: string): string {
  return `plinth-tpm-${nodeName}`;
}

/** What a fail does: it is told, or a node gets no certificate. */
export const admissionRules = ['report', 'required'] as const;
export type AdmissionRule = (typeof admissionRules)[number];

/** A Secret may have 1 MiB. */
const REFERENCES_MOST = 32;

/** By what the control planes of a cluster judge its nodes. */
export interface ClusterVerification {
  readonly rule: AdmissionRule;
  /** Releases that nodes may run. */
  readonly references: readonly Reference[];
  /** As whom a control plane asks a node for evidence, PEM: a reader of the nodes. */
  readonly certificatePem: string;
  readonly keyPem: string;
}

const schema = z.object({
  rule: z.enum(admissionRules),
  references: z.string(),
  'tls.crt': z.string().max(16 * 1024),
  'tls.key': z.string().max(16 * 1024),
});
const texts = z.array(z.string()).min(1).max(REFERENCES_MOST);

/** formatVerification gives the texts of the Secret, by key. @throws attest/verification-invalid */
export function formatVerification({
  rule,
  references,
  certificatePem,
  keyPem,
}: ClusterVerification): Record<string, string> {
  if (references.length === 0 || references.length > REFERENCES_MOST) {
    throw invalid(`${references.length} releases are given, expected 1 to ${REFERENCES_MOST}`);
  }
  const text = JSON.stringify(references.map(formatReference));
  return { rule, references: text, 'tls.crt': certificatePem, 'tls.key': keyPem };
}

/** parseVerification reads them back. @throws attest/verification-invalid, attest/reference-invalid */
export function parseVerification(data: Readonly<Record<string, string>>): ClusterVerification {
  const parsed = schema.safeParse(data);
  if (!parsed.success) throw invalid(`${parsed.error.issues[0]?.path.join('.') ?? 'it'} is not valid`);
  const { rule, references } = parsed.data;
  const list = texts.safeParse(parseJson(references));
  if (!list.success) throw invalid('its references are no list of reference values');
  return {
    rule,
    references: list.data.map((text, index) => parseReference(text, `reference ${index + 1}`)),
    certificatePem: parsed.data['tls.crt'],
    keyPem: parsed.data['tls.key'],
  };
}

function invalid(state: string): PlinthError {
  return new PlinthError(
    'attest/verification-invalid',
    `Cannot use the Secret ${VERIFICATION_SECRET} of the cluster: ${state}`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
