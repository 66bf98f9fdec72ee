import { X509Certificate } from 'node:crypto';
import {
  type AdmissionRule,
  ENROLMENT_KEY,
  ENROLMENT_LABEL,
  type Enrolment,
  enrolmentName,
  formatEnrolment,
  formatVerification,
  parseEnrolment,
  type Reference,
  VERIFICATION_SECRET,
} from '@plinth/attest';
import { compareUapiVersions, PlinthError } from '@plinth/base';
import { applyObject, askKube, deleteObject, type KubeConnection, openKindMap } from '@plinth/kube';
import { z } from 'zod';
import { issueCertificate } from '../access/issue-access.ts';
import type { CommandContext } from '../framework/context.ts';

/** What control planes are to ask of nodes from now on. */
export interface WantedAdmission {
  readonly rule: 'off' | AdmissionRule;
  readonly references: readonly Reference[];
  /** What this computer knows of the nodes' TPMs. */
  readonly enrolments: readonly Enrolment[];
  /** Nodes that did not pass just now. */
  readonly notPassing: number;
}

const DAY_MS = 24 * 3600_000;
const TTL_MS = 365 * DAY_MS;
/** It is made anew by this command only, and without one no certificate is renewed: early. */
const RENEW_MS = 120 * DAY_MS;
const FIELD_MANAGER = 'plinth-attest';
const PLACE = { namespace: 'kube-system' } as const;
/** May look at nodes, and at nothing secret. */
const VERIFIER = { name: 'cluster-verifier', role: 'reader', ttl: TTL_MS } as const;

/**
 * setAdmission tells the control planes of a cluster by what to judge nodes before they give certificates, and what is known
 * of their TPMs.
 * @throws attest/not-all-pass when some would be shut out at once; kube/…, trust/…, access/…, host/io
 */
export async function setAdmission(
  connection: KubeConnection,
  { rule, references, enrolments, notPassing }: WantedAdmission,
  { env, signal }: CommandContext,
): Promise<{ readonly rule: string; readonly told: string }> {
  const kinds = openKindMap(connection);
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: VERIFICATION_SECRET, ...PLACE },
  };
  if (rule === 'off') {
    await deleteObject(connection, kinds, secret, signal);
    return { rule, told: 'given without a proof' };
  }
  if (rule === 'required' && notPassing > 0) {
    throw new PlinthError(
      'attest/not-all-pass',
      `Cannot require a proof for certificates: ${notPassing} nodes do not pass, expected all to`,
    );
  }
  for (const enrolment of enrolments) await keepEnrolment(connection, kinds, enrolment, signal);
  const { certificatePem, keyPem } = await verifierCredentials(connection, env, signal);
  const stringData = formatVerification({ rule, references, certificatePem, keyPem });
  await applyObject(connection, kinds, { ...secret, stringData }, FIELD_MANAGER, signal);
  const ends = new X509Certificate(certificatePem).validToDate.toISOString().slice(0, 10);
  const versions = references.map(({ version }) => version).join(', ');
  const what = rule === 'required' ? 'only with a proof' : 'with a report of the proof';
  return {
    rule,
    told: `${what} of ${versions}; asked by control planes until ${ends}, run this again before`,
  };
}

const bookSchema = z.object({ data: z.object({ [ENROLMENT_KEY]: z.string() }) });

/** The cluster may know a newer release of the same TPM than this computer; its node does not go back behind it. */
async function keepEnrolment(
  connection: KubeConnection,
  kinds: ReturnType<typeof openKindMap>,
  enrolment: Enrolment,
  signal: AbortSignal,
): Promise<void> {
  const name = enrolmentName(enrolment.nodeName);
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...PLACE } };
  const text = await readOptional(connection, await kinds.pathOf(object, signal), bookSchema, signal);
  const stored = text && parseEnrolment(text.data[ENROLMENT_KEY], `the ConfigMap ${name}`);
  const newest =
    stored?.akPublic === enrolment.akPublic
      ? newerOf(stored.newestVersion, enrolment.newestVersion)
      : undefined;
  const kept = { ...enrolment, newestVersion: newest ?? enrolment.newestVersion };
  const metadata = { ...object.metadata, labels: { [ENROLMENT_LABEL]: 'node' } };
  const data = { [ENROLMENT_KEY]: formatEnrolment(kept) };
  await applyObject(connection, kinds, { ...object, metadata, data }, FIELD_MANAGER, signal);
}

function newerOf(left: string, right: string): string {
  if (left === '' || right === '') return left || right;
  return compareUapiVersions(left, right) >= 0 ? left : right;
}

const secretSchema = z.object({ data: z.object({ 'tls.crt': z.base64(), 'tls.key': z.base64() }) });

/** As whom control planes ask nodes: what the cluster has while it holds for long, else a new certificate. */
async function verifierCredentials(
  connection: KubeConnection,
  env: CommandContext['env'],
  signal: AbortSignal,
): Promise<{ certificatePem: string; keyPem: string }> {
  const path = `/api/v1/namespaces/${PLACE.namespace}/secrets/${VERIFICATION_SECRET}`;
  const held = await readOptional(connection, path, secretSchema, signal);
  if (held) {
    const pem = (key: 'tls.crt' | 'tls.key') => Buffer.from(held.data[key], 'base64').toString('utf8');
    const certificatePem = pem('tls.crt');
    const endsAtMs = new X509Certificate(certificatePem).validToDate.getTime();
    if (endsAtMs - Date.now() > RENEW_MS) return { certificatePem, keyPem: pem('tls.key') };
  }
  const { name, ...options } = VERIFIER;
  const where = { keys: undefined, passphraseFile: undefined };
  const { made } = await issueCertificate(name, { ...options, ...where }, env);
  return { certificatePem: made.certificatePem, keyPem: made.privateKeyPem };
}

async function readOptional<T>(
  connection: KubeConnection,
  path: string,
  schema: z.ZodType<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return schema.parse(await askKube(connection, { method: 'GET', path }, signal));
  } catch (reason) {
    if (reason instanceof PlinthError && reason.code === 'kube/not-found') return undefined;
    throw reason;
  }
}
