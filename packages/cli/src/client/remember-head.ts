import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditCheckpoint } from '@plinth/api';
import { configDir, isErrno, writeFileAtomic } from '@plinth/host';
import { z } from 'zod';

const schema = z.strictObject({
  sequence: z.number().int().min(1),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
type Environment = Readonly<Record<string, string | undefined>>;

/** headPath is where the newest audit line seen of a node is remembered; a node is known by its certificate. */
function headPath(env: Environment, fingerprint: string): string {
  return join(configDir(env), 'audit', `${fingerprint.replace(/^sha256:/, '')}.json`);
}

/** readHead gives what was remembered; undefined when there is nothing. @throws when the file is damaged */
export async function readHead(env: Environment, fingerprint: string): Promise<AuditCheckpoint | undefined> {
  try {
    return schema.parse(JSON.parse(await readFile(headPath(env, fingerprint), 'utf8')));
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw reason;
  }
}

/** writeHead remembers the newest line, which the next verification must lead through. */
export async function writeHead(env: Environment, fingerprint: string, head: AuditCheckpoint): Promise<void> {
  const { sequence, hash } = head;
  await writeFileAtomic(headPath(env, fingerprint), `${JSON.stringify({ sequence, hash })}\n`, 0o600);
}
