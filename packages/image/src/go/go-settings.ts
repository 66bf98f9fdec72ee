import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { exists, isErrno } from '@plinth/host';

type Environment = Readonly<Record<string, string | undefined>>;

/** The settings of Go that say where modules come from and how they are checked ("go help environment"). */
const NAMES = ['GOPROXY', 'GOSUMDB', 'GOPRIVATE', 'GONOPROXY', 'GONOSUMDB', 'GOINSECURE'] as const;

/** Where Linux distributions keep the certificates a machine trusts. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * readGoSettings gives the machine's own module settings as the text of a Go environment file: PLINTH_GOPROXY first,
 * then variables, then the file that "go env -w" writes. A proxy's address may hold a password, so the text goes into a
 * file, never into arguments. What the machine does not say is left to Go's defaults.
 */
export async function readGoSettings(env: Environment = process.env): Promise<string> {
  const configured = parseGoEnvironment(await readOptional(goEnvironmentPath(env)));
  const lines = NAMES.flatMap((name) => {
    const own = name === 'GOPROXY' ? env['PLINTH_GOPROXY'] : undefined;
    const value = own || env[name] || configured.get(name);
    return value ? [`${name}=${value}`] : [];
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** parseGoEnvironment reads lines NAME=value; Go knows neither quotes nor comments at the end of a line there. */
export function parseGoEnvironment(text: string): ReadonlyMap<string, string> {
  const pairs = text.split('\n').flatMap((line) => {
    const match = /^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$/.exec(line);
    return match?.[1] === undefined ? [] : [[match[1], match[2] ?? ''] as const];
  });
  return new Map(pairs);
}

/** findCertificates gives the machine's bundle of certificates; undefined where it has none we know of. */
export async function findCertificates(env: Environment = process.env): Promise<string | undefined> {
  for (const path of [env['SSL_CERT_FILE'], ...BUNDLES]) {
    if (path && (await exists(path))) return path;
  }
  return undefined;
}

function goEnvironmentPath(env: Environment): string | undefined {
  if (env['GOENV'] === 'off') return undefined;
  return env['GOENV'] || join(env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'go/env');
}

async function readOptional(path: string | undefined): Promise<string> {
  if (path === undefined) return '';
  try {
    return await readFile(path, 'utf8');
  } catch (reason) {
    if (isErrno(reason, 'ENOENT') || isErrno(reason, 'ENOTDIR')) return '';
    throw PlinthError.from(reason, 'host/io', `Cannot read ${path}`);
  }
}
