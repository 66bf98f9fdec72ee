import { type Diagnostic, type ErrorCode, renderDiagnostic } from '@plinth/base';
import { type MachineConfig, parseConfig } from '@plinth/config';
import { parseOemStrings } from '../kernel/smbios.ts';
import type { StateStore } from '../sys/state-store.ts';
import { readBytes, type Sys } from '../sys/sys.ts';

/** Where a config came from; "api" is one that a client applied. */
export type ConfigSource = 'fw_cfg' | 'smbios' | 'persisted' | 'api';

/** What became of the search for a machine config. */
export type FoundConfig =
  | {
      readonly ok: true;
      readonly source: ConfigSource;
      readonly config: MachineConfig;
      readonly bytes: Buffer;
    }
  | {
      readonly ok: false;
      readonly code: ErrorCode /** For people; one problem a line. */;
      readonly problems: readonly string[];
    };

const FW_CFG = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw';
/** The whole table, which the kernel shows without a module; one folder per entry would need dmi_sysfs. */
const SMBIOS_TABLE = '/sys/firmware/dmi/tables/DMI';
const SMBIOS_PREFIX = 'dev.plinth/machine-config=';
const PERSISTED = 'machine-config';

/**
 * findConfig looks for the machine config: fw_cfg, then SMBIOS, then the copy kept on /var. The first source that
 * has one decides, also when it is wrong: an older config must not hide a mistake in the one that was given.
 */
export async function findConfig(sys: Sys, store: StateStore): Promise<FoundConfig> {
  for (const [source, read] of sources(sys, store)) {
    const bytes = await read();
    if (bytes === undefined) continue;
    const parsed = parseConfig(bytes, `machine config (${source})`);
    if (parsed.ok) return { ok: true, source, config: parsed.value, bytes };
    return { ok: false, code: firstCode(parsed.diagnostics), problems: parsed.diagnostics.map(oneLine) };
  }
  return {
    ok: false,
    code: 'agent/config-missing',
    problems: ['Cannot find a machine config: none in fw_cfg, SMBIOS or /var/lib/plinth, expected one'],
  };
}

/** keepConfig writes the config to /var, so that the node comes up with it when the machine no longer gives one. */
export async function keepConfig(store: StateStore, found: FoundConfig & { ok: true }): Promise<void> {
  if (found.source === 'persisted') return;
  const kept = await store.read(PERSISTED);
  if (!kept?.equals(found.bytes)) await store.write(PERSISTED, found.bytes);
}

function sources(
  sys: Sys,
  store: StateStore,
): readonly (readonly [ConfigSource, () => Promise<Buffer | undefined>])[] {
  return [
    ['fw_cfg', () => readBytes(sys, FW_CFG)],
    ['smbios', () => readSmbios(sys)],
    ['persisted', () => store.read(PERSISTED)],
  ];
}

async function readSmbios(sys: Sys): Promise<Buffer | undefined> {
  const table = await readBytes(sys, SMBIOS_TABLE);
  if (!table) return undefined;
  const entry = parseOemStrings(table).find((text) => text.startsWith(SMBIOS_PREFIX));
  // Text that is not base64 decodes to something that is not a config; the parser then says so.
  return entry === undefined ? undefined : Buffer.from(entry.slice(SMBIOS_PREFIX.length), 'base64');
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
