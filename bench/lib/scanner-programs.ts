import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BoltBucket, boltFile } from './bolt-file.ts';
import { debsecanList, type Installed, type TrackerRow } from './tracker-data.ts';

const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024;

/** runDebsecan gives what debsecan itself finds in a dpkg status by these rows; undefined when it is not here. */
export function runDebsecan(
  program: string,
  folder: string,
  status: string,
  rows: readonly TrackerRow[],
  installed: readonly Installed[],
): Set<string> | undefined {
  mkdirSync(join(folder, 'list'), { recursive: true });
  writeFileSync(join(folder, 'list', 'trixie'), debsecanList(rows, installed));
  const source = pathToFileURL(join(folder, 'list')).href;
  const args = ['--source', source, '--suite', 'trixie', '--status', status, '--format', 'bugs'];
  const printed = run(program, [
    ...args,
    ...['--whitelist', join(folder, 'none'), '--config', join(folder, 'none')],
  ]);
  return printed === undefined ? undefined : new Set(printed.split('\n').filter((line) => line !== ''));
}

/** A scanner and the folder that has its database. */
export interface Trivy {
  readonly program: string;
  readonly cache: string;
}

/**
 * trivyDatabase writes rows as the compiled database of trivy has them (schema 2, bbolt): "debian 13" → source →
 * identifier → first version with the fix.
 */
export function trivyDatabase(cache: string, rows: readonly TrackerRow[]): void {
  const sources: Record<string, Record<string, Buffer>> = {};
  for (const { source, id, fixed } of rows) {
    sources[source] ??= {};
    sources[source][id] = Buffer.from(JSON.stringify({ FixedVersion: fixed }));
  }
  const origin = { ID: 'debian', Name: 'made from changelogs', URL: '' };
  const details = rows.map(({ id }) => [id, Buffer.from('{"Title":"made from changelogs"}')] as const);
  const root: BoltBucket = {
    'data-source': { 'debian 13': Buffer.from(JSON.stringify(origin)) },
    'debian 13': sources,
    vulnerability: Object.fromEntries(details),
  };
  mkdirSync(join(cache, 'db'), { recursive: true });
  writeFileSync(join(cache, 'db', 'trivy.db'), boltFile(root));
  const at = new Date();
  const next = new Date(at.getTime() + 24 * 3600 * 1000);
  const metadata = { Version: 2, NextUpdate: next, UpdatedAt: at, DownloadedAt: at };
  writeFileSync(join(cache, 'db', 'metadata.json'), JSON.stringify(metadata));
}

/**
 * runTrivy gives what trivy itself finds by its database, without any network; undefined when it is not here.
 * @param what "rootfs" for a root with a dpkg status, "sbom" for an SPDX or CycloneDX document
 */
export function runTrivy(
  { program, cache }: Trivy,
  what: 'rootfs' | 'sbom',
  subject: string,
  more: readonly string[] = [],
): Set<string> | undefined {
  const args = [what, '--cache-dir', cache, '--skip-db-update', '--skip-java-db-update', '--offline-scan'];
  const printed = run(program, [
    ...args,
    '--quiet',
    '--scanners',
    'vuln',
    '--format',
    'json',
    ...more,
    subject,
  ]);
  if (printed === undefined) return undefined;
  const { Results: results = [] } = JSON.parse(printed) as {
    readonly Results?: readonly {
      readonly Vulnerabilities?: readonly { readonly VulnerabilityID: string }[];
    }[];
  };
  return new Set(
    results.flatMap(({ Vulnerabilities: found = [] }) => found.map(({ VulnerabilityID: id }) => id)),
  );
}

function run(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      maxBuffer: OUTPUT_LIMIT_BYTES,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  } catch (reason) {
    if (reason instanceof Error && Reflect.get(reason, 'code') === 'ENOENT') return undefined;
    throw reason;
  }
}
