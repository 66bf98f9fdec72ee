import { type Diagnostic, type ErrorCode, type ParsedDocument, renderDiagnostic } from '@plinth/base';
import {
  type MachineConfig,
  readNoCloud,
  readOpenStackDrive,
  readUserData,
  type UserData,
} from '@plinth/config';
import type { StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import type { ConfigDrive } from './drives/find-drive.ts';
import { type ConfigSource, type NetworkSources, PERSISTED, readSources } from './sources/read-sources.ts';
import { hashOf } from './transaction/config-store.ts';

/** What became of the search for a machine config. */
export type FoundConfig =
  | {
      readonly ok: true;
      readonly source: ConfigSource;
      readonly config: MachineConfig;
      /** The config as documents of ours. */
      readonly bytes: Buffer;
      /** Names what the source gave, where the documents were made from something else: the same again is no news. */
      readonly givenHash?: string;
      /** What a source before this one did not tell, for people. */
      readonly unanswered?: string;
      /** Who gave it, and why, where a client did. */
      readonly author?: string;
      readonly reason?: string;
    }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      /** For people; one problem a line. */
      readonly problems: readonly string[];
      /** The cloud of the machine may have a config and has not answered. */
      readonly cloudSilent?: true;
    };

/**
 * findConfig looks for the machine config in configSources. The first source that has one decides, also when it is
 * wrong: an older config must not hide a mistake in the one that was given. A cloud that does not answer holds nobody
 * up who has another config.
 * @param network who is asked over the network; without it nobody is
 */
export async function findConfig(
  sys: Sys,
  store: StateStore,
  network: NetworkSources = {},
): Promise<FoundConfig> {
  let unanswered: string | undefined;
  let cloudSilent = false;
  for await (const { source, bytes, drive, ...said } of readSources(sys, store, network)) {
    unanswered ??= said.unanswered;
    cloudSilent ||= said.silent === true;
    if (said.unusable !== undefined)
      return {
        ok: false,
        code: 'config/invalid',
        problems: [`Cannot read machine config (${source}): ${said.unusable}`],
      };
    if (drive) return understandDrive(drive);
    if (bytes !== undefined) return understand(source, bytes, unanswered);
  }
  const places =
    'fw_cfg, SMBIOS, an address in them, a config drive, the metadata service of a cloud or /var/lib/plinth';
  return {
    ok: false,
    code: 'agent/config-missing',
    problems: [
      `Cannot find a machine config: none in ${places}, expected one`,
      ...(unanswered === undefined ? [] : [unanswered]),
    ],
    ...(cloudSilent && { cloudSilent }),
  };
}

function understand(source: ConfigSource, bytes: Buffer, unanswered: string | undefined): FoundConfig {
  return foundIn(source, bytes, readUserData(bytes, `machine config (${source})`), unanswered);
}

function understandDrive({ kind, device, files }: ConfigDrive): FoundConfig {
  const where = `machine config (${kind} drive ${device})`;
  const read = kind === 'nocloud' ? readNoCloud(files, where) : readOpenStackDrive(files, where);
  const names = Object.keys(files).sort();
  const given = Buffer.concat(
    names.flatMap((name) => [Buffer.from(`${name}\0`), files[name] ?? Buffer.alloc(0)]),
  );
  return foundIn(kind, given, read, undefined);
}

/** @param bytes what was given, by which it is known again */
function foundIn(
  source: ConfigSource,
  bytes: Buffer,
  read: ParsedDocument<UserData>,
  unanswered: string | undefined,
): FoundConfig {
  if (!read.ok)
    return { ok: false, code: firstCode(read.diagnostics), problems: read.diagnostics.map(oneLine) };
  const documents = Buffer.from(read.value.documents);
  return {
    ok: true,
    source,
    config: read.value.config,
    bytes: documents,
    ...(!documents.equals(bytes) && { givenHash: hashOf(bytes) }),
    ...(unanswered !== undefined && { unanswered }),
  };
}

/** keepConfig writes the config to /var, so that the node comes up with it when the machine no longer gives one. */
export async function keepConfig(store: StateStore, found: FoundConfig & { ok: true }): Promise<void> {
  if (found.source === 'persisted') return;
  const kept = await store.read(PERSISTED);
  if (!kept?.equals(found.bytes)) await store.write(PERSISTED, found.bytes);
}

function firstCode(diagnostics: readonly Diagnostic[]): ErrorCode {
  return diagnostics[0]?.code ?? 'config/invalid';
}

/** A console has no room for code frames: place, message and hint on one line. */
function oneLine(diagnostic: Diagnostic): string {
  const { span, message, hint, path } = diagnostic;
  if (!span) return renderDiagnostic(diagnostic).split('\n').join(' ');
  const where = `line ${span.line}, column ${span.column}${path ? ` (${path})` : ''}`;
  return `${message} at ${where}${hint ? `; ${hint}` : ''}`;
}
