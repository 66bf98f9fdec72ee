import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno } from '@plinth/host';
import { z } from 'zod';

/** Name and secret for a registry. Never printed. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const schema = z.looseObject({
  auths: z.record(z.string(), z.looseObject({ auth: z.string().optional() })).optional(),
});
const LIMIT_BYTES = 1 << 20;

/**
 * readCredentials reads what the user's docker configuration has for a registry; undefined when it has nothing.
 * @param env where $DOCKER_CONFIG may name another folder than ~/.docker
 * @throws publish/registry-denied when the file cannot be used, host/io
 */
export async function readCredentials(
  host: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Credentials | undefined> {
  const path = join(env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker'), 'config.json');
  const text = await readFile(path, 'utf8').catch((reason: unknown) => {
    if (isErrno(reason, 'ENOENT') || isErrno(reason, 'ENOTDIR')) return undefined;
    throw ioError(reason, `read ${path}`);
  });
  if (text === undefined) return undefined;
  const parsed = schema.safeParse(text.length > LIMIT_BYTES ? undefined : parse(text));
  // Neither the text nor what a parser says of it: both hold secrets.
  if (!parsed.success) {
    throw new PlinthError(
      'publish/registry-denied',
      `Cannot read ${path}: damaged, expected JSON with "auths"`,
    );
  }
  const { auths = {} } = parsed.data;
  const auth = (auths[host] ?? auths[`https://${host}`] ?? auths[`http://${host}`])?.auth;
  if (!auth) return undefined;
  const [username = '', ...rest] = Buffer.from(auth, 'base64').toString('utf8').split(':');
  return { username, password: rest.join(':') };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Reported as damaged, without its content.
    return undefined;
  }
}
