import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno } from '@plinth/host';
import { parseParagraphs } from './deb822.ts';

/** The two archives Plinth takes packages from. */
export type ArchiveName = 'debian' | 'security';

/** Base address of each archive, without a slash at the end. Never written into a committed file. */
export type Mirrors = Readonly<Record<ArchiveName, string>>;

export interface MirrorOptions {
  /** Values of --mirror and --security-mirror. */
  readonly flags?: { readonly mirror?: string; readonly securityMirror?: string };
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where apt keeps its settings; default /etc/apt. */
  readonly aptDir?: string;
}

/** One apt source: where, which suites, which components. */
export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/** Debian releases a machine may run; the archive that carries one of them carries trixie too. */
const CODENAMES =
  /^(?:bullseye|bookworm|trixie|forky|duke|sid|stable|testing|unstable|oldstable|oldoldstable)(?:-(.+))?$/;

/**
 * findMirrors tells where to fetch from: options, then environment, then the machine's apt settings.
 * @throws debian/no-mirror
 */
export async function findMirrors(options: MirrorOptions = {}): Promise<Mirrors> {
  const { flags = {}, env = process.env, aptDir = '/etc/apt' } = options;
  const named = {
    debian: flags.mirror ?? env['PLINTH_MIRROR'],
    security: flags.securityMirror ?? env['PLINTH_SECURITY_MIRROR'],
  };
  const machine = named.debian && named.security ? {} : mirrorsOf(await readAptSources(aptDir));
  return {
    debian: required('debian', named.debian || machine.debian, aptDir),
    security: required('security', named.security || machine.security, aptDir),
  };
}

/** mirrorsOf recognises the two archives by the suites they carry; third-party sources carry none of them. */
export function mirrorsOf(sources: readonly AptSource[]): Partial<Mirrors> {
  const found: { debian?: string; security?: string } = {};
  for (const { uris, suites, components } of sources) {
    const uri = uris.find((candidate) => /^https?:\/\//.test(candidate));
    if (uri === undefined || !components.includes('main')) continue;
    for (const suite of suites) {
      const match = CODENAMES.exec(suite);
      // Before bullseye the security suite was "<codename>/updates"; those machines are too old anyway.
      if (match?.[1] === 'security') found.security ??= uri;
      else if (match && match[1] !== 'backports') found.debian ??= uri;
    }
  }
  return found;
}

/** parseOneLine reads the one-line format of sources.list(5); lines of other kinds give nothing. */
export function parseOneLine(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(line);
    if (!match) return [];
    return [{ uris: words(match[1]), suites: words(match[2]), components: words(match[3]) }];
  });
}

/** parseDeb822 reads the paragraph format of sources.list(5); disabled and source-only entries give nothing. */
export function parseDeb822(text: string): AptSource[] {
  return [...parseParagraphs(text)]
    .filter((fields) => words(fields.get('types')).includes('deb') && fields.get('enabled') !== 'no')
    .map((fields) => ({
      uris: words(fields.get('uris')),
      suites: words(fields.get('suites')),
      components: words(fields.get('components')),
    }));
}

async function readAptSources(aptDir: string): Promise<AptSource[]> {
  const folder = join(aptDir, 'sources.list.d');
  const files = (await ifPresent(readdir(folder), folder)) ?? [];
  const paths = [join(aptDir, 'sources.list'), ...files.sort().map((name) => join(folder, name))];
  const sources: AptSource[] = [];
  for (const path of paths) {
    const parse = path.endsWith('.sources') ? parseDeb822 : path.endsWith('.list') ? parseOneLine : undefined;
    if (parse) sources.push(...parse((await ifPresent(readFile(path, 'utf8'), path)) ?? ''));
  }
  return sources;
}

/** What the machine does not let us read is as if it were not there: the error below says what to do then. */
async function ifPresent<T>(reading: Promise<T>, path: string): Promise<T | undefined> {
  try {
    return await reading;
  } catch (reason) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].some((code) => isErrno(reason, code))) return undefined;
    throw ioError(reason, `read ${path}`);
  }
}

function required(archive: ArchiveName, uri: string | undefined, aptDir: string): string {
  if (uri !== undefined && /^https?:\/\/[^/]/.test(uri)) return uri.replace(/\/+$/, '');
  const [what, option] =
    archive === 'debian' ? ['package', '--mirror'] : ['security update', '--security-mirror'];
  const state = uri === undefined ? `${aptDir} names none` : `"${uri}" is no http address`;
  throw new PlinthError('debian/no-mirror', `Cannot choose a Debian ${what} mirror: ${state}, expected one`, {
    hint: `Name one: ${option} URL (the folder that has "dists" in it).`,
  });
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}
