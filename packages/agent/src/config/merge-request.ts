import { isDeepStrictEqual } from 'node:util';
import { PlinthError } from '@plinth/base';
import { type MachineConfig, mergeDocuments, writeConfig } from '@plinth/config';

/** A config with documents of a client in it. */
export interface Merged {
  readonly config: MachineConfig;
  readonly text: Buffer;
}

/** mergeGiven puts documents of a client into a config. @throws config/invalid, config/too-large with the first problem */
export function mergeGiven(config: MachineConfig, documents: Uint8Array): Merged {
  const merged = mergeDocuments(config, documents, 'the documents');
  if (merged.ok) return { config: merged.value, text: Buffer.from(writeConfig(merged.value)) };
  const [first] = merged.diagnostics;
  const where = first?.span ? ` at line ${first.span.line}, column ${first.span.column}` : '';
  throw new PlinthError(
    first?.code ?? 'config/invalid',
    `${first?.message ?? 'Cannot read the documents'}${where}`,
  );
}

/** What decides who the node is, and who may do what on it; roles hold by labels too. */
const guarded: Readonly<Record<string, (config: MachineConfig) => unknown>> = {
  ApiAccess: ({ api }) => api,
  BootstrapContainer: ({ bootstrapContainers }) => bootstrapContainers,
  Machine: ({ machine }) => machine,
  OperationsSession: ({ operationsSession }) => operationsSession,
  'labels of Kubelet': ({ kubelet }) => kubelet?.labels,
};

/**
 * refuseGuarded keeps a role that may change configs from giving itself, or others, more than it has. Admins have everything.
 * @throws config/not-yours
 */
export function refuseGuarded(before: MachineConfig, after: MachineConfig, role: string): void {
  if (role === 'plinth:admin') return;
  const changed = Object.entries(guarded).find(([, part]) => !isDeepStrictEqual(part(before), part(after)));
  if (!changed) return;
  throw new PlinthError(
    'config/not-yours',
    `Cannot change ${changed[0]}: the caller has the role ${role}, expected plinth:admin`,
  );
}
