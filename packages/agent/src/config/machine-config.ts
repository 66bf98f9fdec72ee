import { X509Certificate } from 'node:crypto';
import { type Diagnostic, type ParsedDocument, readDocument } from '@plinth/base';
import { z } from 'zod';
import { networkConfig } from '../network/network-config.ts';

/** Bounds on a config, checked before anything of it is parsed. */
const LIMIT_BYTES = 64 * 1024;
const LIMIT_DEPTH = 16;

const hostName = z
  .string()
  .max(63)
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/,
    'expected a host name of lower-case letters, digits and hyphens (RFC 1123)',
  );

const authority = z
  .string()
  .max(16 * 1024)
  .superRefine((pem, context) => {
    const problem = authorityProblem(pem);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  });

const schema = z.strictObject({
  apiVersion: z.literal('plinth.dev/v1alpha1'),
  kind: z.literal('MachineConfig'),
  metadata: z.strictObject({ name: hostName }),
  api: z.strictObject({ clientAuthorities: z.array(authority).min(1).max(16) }),
  network: networkConfig.optional(),
});

/** What the node was told at provisioning. */
export type MachineConfig = z.infer<typeof schema>;

/**
 * parseMachineConfig reads a machine config in YAML or JSON. Limits come first; then every problem is reported with
 * its line and column. Codes: agent/config-too-large, agent/config-invalid.
 * @param file name shown in diagnostics: where the config comes from
 */
export function parseMachineConfig(bytes: Uint8Array, file: string): ParsedDocument<MachineConfig> {
  if (bytes.length > LIMIT_BYTES)
    return tooLarge(file, `${bytes.length} bytes, expected at most ${LIMIT_BYTES}`);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse({ code: 'agent/config-invalid', message: `Cannot read ${file}: it is not UTF-8 text` });
  }
  if (text.includes('\0')) {
    return refuse({ code: 'agent/config-invalid', message: `Cannot read ${file}: it holds a NUL character` });
  }
  if (nestingDepth(text) > LIMIT_DEPTH) return tooLarge(file, `nested more than ${LIMIT_DEPTH} levels deep`);
  try {
    return readDocument(text, file, schema, 'agent/config-invalid');
  } catch (reason) {
    // The parser is recursive; a nesting that the count above does not see ends here.
    if (reason instanceof RangeError) return tooLarge(file, `nested more than ${LIMIT_DEPTH} levels deep`);
    throw reason;
  }
}

function tooLarge(file: string, state: string): ParsedDocument<MachineConfig> {
  return refuse({ code: 'agent/config-too-large', message: `Cannot read ${file}: ${state}` });
}

function refuse(diagnostic: Pick<Diagnostic, 'code' | 'message'>): ParsedDocument<MachineConfig> {
  return { ok: false, diagnostics: [{ severity: 'error', ...diagnostic }] };
}

/** An upper bound of the nesting: brackets in texts count too, and each indicator or indent opens at most one level. */
function nestingDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const char of text) {
    if (char === '[' || char === '{') deepest = Math.max(deepest, ++depth);
    if (char === ']' || char === '}') depth = Math.max(0, depth - 1);
  }
  for (const line of text.split('\n')) {
    const [indicators = ''] = /^[ ?:-]*/.exec(line) ?? [];
    deepest = Math.max(deepest, indicators.replaceAll(' ', '').length, Math.ceil(indicators.length / 8));
  }
  return deepest;
}

/** Why a text is not the certificate of an authority; undefined when it is one. */
function authorityProblem(pem: string): string | undefined {
  if ((pem.match(/-----BEGIN /g) ?? []).length !== 1) return 'expected exactly one certificate in PEM';
  try {
    const certificate = new X509Certificate(pem);
    return certificate.ca ? undefined : 'expected the certificate of an authority (basicConstraints CA:TRUE)';
  } catch {
    return 'expected a certificate in PEM';
  }
}
