import { apiAccessKind } from '../kinds/api-access/kind.ts';
import { machineKind } from '../kinds/machine/kind.ts';
import type { MachineConfig } from '../machine-config.ts';
import { parseConfig } from '../parse/parse-config.ts';
import { parsed } from './configs.ts';

/** withDocument puts a document beside the two that every config has. */
export function withDocument(document: string): string {
  return [machineKind.example, apiAccessKind.example, document].join('---\n');
}

/** readDocument reads a config with one more document; problems are thrown. */
export function readDocument(document: string): MachineConfig {
  return parsed(withDocument(document));
}

/** problemsOf are the messages and hints for a config with one more document; none when it is valid. */
export function problemsOf(document: string): string {
  const read = parseConfig(Buffer.from(withDocument(document)), 'config.yaml');
  return read.ok ? '' : read.diagnostics.map(({ message, hint }) => `${message} ${hint ?? ''}`).join('\n');
}
