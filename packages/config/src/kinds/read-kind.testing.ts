import assert from 'node:assert/strict';
import type { MachineConfig } from '../machine-config.ts';
import { parseConfig } from '../parse/parse-config.ts';
import { apiAccessKind } from './api-access/kind.ts';
import { machineKind } from './machine/kind.ts';

/** withDocument puts a document beside the two that every config has. */
export function withDocument(document: string): string {
  return [machineKind.example, apiAccessKind.example, document].join('---\n');
}

/** readDocument reads a config with one more document; problems fail the test. */
export function readDocument(document: string): MachineConfig {
  const read = parseConfig(Buffer.from(withDocument(document)), 'config.yaml');
  if (!read.ok) assert.fail(read.diagnostics.map(({ message }) => message).join('\n'));
  return read.value;
}

/** problemsOf are the messages and hints for a config with one more document; none when it is valid. */
export function problemsOf(document: string): string {
  const read = parseConfig(Buffer.from(withDocument(document)), 'config.yaml');
  return read.ok ? '' : read.diagnostics.map(({ message, hint }) => `${message} ${hint ?? ''}`).join('\n');
}
