import type { ParsedDocument } from '@plinth/base';
import { parseConfig } from './parse/parse-config.ts';
import { writeConfig } from './write-config.ts';

/**
 * migrateConfig rewrites a config of any form that is still read into the form of today; what it means stays. Comments
 * are lost. Codes: config/too-large, config/invalid.
 */
export function migrateConfig(bytes: Uint8Array, file: string): ParsedDocument<string> {
  const parsed = parseConfig(bytes, file);
  return parsed.ok ? { ok: true, value: writeConfig(parsed.value) } : parsed;
}
