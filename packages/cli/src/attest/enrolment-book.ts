import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Enrolment, formatEnrolment, parseEnrolment } from '@plinth/attest';
import { PlinthError } from '@plinth/base';
import { configDir, ioError, isErrno, writeFileAtomic } from '@plinth/host';
import type { CommandContext } from '../framework/context.ts';

type Environment = CommandContext['env'];

/** enrolmentPath is where the enrolment of a node lies; a node is known by its id. */
export function enrolmentPath(env: Environment, nodeId: string): string {
  if (!/^[0-9a-f]{32}$/.test(nodeId)) {
    throw new PlinthError('api/protocol', `Cannot enrol the node: its id is "${nodeId}", expected 32 digits`);
  }
  return join(configDir(env), 'attestation', `${nodeId}.json`);
}

/** readEnrolment gives what is known of a node; undefined when it was never enrolled. @throws attest/book-invalid, host/io */
export async function readEnrolment(env: Environment, nodeId: string): Promise<Enrolment | undefined> {
  const path = enrolmentPath(env, nodeId);
  const text = await readFile(path, 'utf8').catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw ioError(reason, `read ${path}`);
  });
  return text === undefined ? undefined : parseEnrolment(text, path);
}

/** writeEnrolment remembers a node. @throws host/io, host/disk-full */
export async function writeEnrolment(env: Environment, enrolment: Enrolment): Promise<void> {
  const path = enrolmentPath(env, enrolment.nodeId);
  await writeFileAtomic(path, formatEnrolment(enrolment), 0o600);
}
