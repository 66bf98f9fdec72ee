import { compareUapiVersions, PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { Judgement, KnownNode } from '../judge/judgement.ts';

/** An enrolment has some 2 KiB. */
const LIMIT_BYTES = 32 * 1024;

const hexBytes = z
  .string()
  .regex(/^(?:[0-9a-f]{2})+$/)
  .max(8192);

const schema = z.strictObject({
  format: z.literal(1),
  nodeId: z.string().regex(/^[0-9a-f]{32}$/),
  nodeName: z.string().max(253),
  /** TPMT_PUBLIC of both keys. */
  ekPublic: hexBytes,
  akPublic: hexBytes,
  /** Who vouches for the endorsement key, by its certificate; "" for nobody: it is believed since it was first seen. */
  vouchedBy: z.string().max(500),
  enrolledAt: z.iso.datetime(),
  /** Registers of the firmware at the enrolment. */
  firmware: z
    .array(z.strictObject({ pcr: z.int().min(0).max(23), sha256: z.string().regex(/^[0-9a-f]{64}$/) }))
    .max(24),
  newestVersion: z.string().max(60),
});

/** What a verifier knows of the TPM of a node. */
export type Enrolment = z.infer<typeof schema>;

/**
 * parseEnrolment reads what formatEnrolment wrote.
 * @param name where it is from, for messages
 * @throws attest/book-invalid: never taken for "not enrolled", which would let another TPM in
 */
export function parseEnrolment(text: string, name: string): Enrolment {
  try {
    return schema.parse(text.length > LIMIT_BYTES ? undefined : JSON.parse(text));
  } catch (reason) {
    if (!(reason instanceof z.ZodError || reason instanceof SyntaxError)) throw reason;
    throw new PlinthError('attest/book-invalid', `Cannot read ${name}: it is not an enrolment`);
  }
}

/** formatEnrolment writes an enrolment. @throws attest/book-invalid for what is none */
export function formatEnrolment(enrolment: Enrolment): string {
  const result = schema.safeParse(enrolment);
  if (result.success) return `${JSON.stringify(result.data, undefined, 2)}\n`;
  const where = result.error.issues[0]?.path.join('.') || 'it';
  throw new PlinthError('attest/book-invalid', `Cannot keep an enrolment: ${where} is not valid`);
}

/** knownNode is what evidence is judged by. */
export function knownNode({ nodeId, akPublic, firmware, newestVersion }: Enrolment): KnownNode {
  return {
    ...{ nodeId, newestVersion, akPublic: Buffer.from(akPublic, 'hex') },
    firmware: new Map(firmware.map(({ pcr, sha256 }) => [pcr, sha256])),
  };
}

/**
 * afterPass is the enrolment after a judgement: a pass with a newer release is remembered, and the node may not go back
 * behind it. The same object where nothing changes.
 * @param olderAllowed the release it passed with is remembered although it is older
 */
export function afterPass(enrolment: Enrolment, judgement: Judgement, olderAllowed = false): Enrolment {
  const version = judgement.verdict === 'pass' ? (judgement.release?.version ?? '') : '';
  const { newestVersion } = enrolment;
  if (version === '' || version === newestVersion) return enrolment;
  const newer = newestVersion === '' || compareUapiVersions(version, newestVersion) > 0;
  return newer || olderAllowed ? { ...enrolment, newestVersion: version } : enrolment;
}
