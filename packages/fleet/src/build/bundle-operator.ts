import { fileURLToPath } from 'node:url';
import { PlinthError } from '@plinth/base';
import { bundleScripts } from '@plinth/host/bundle';

const MAIN = fileURLToPath(new URL('../runtime/main.ts', import.meta.url));
/** Threads, which the operator starts by these names. */
const LEASE = fileURLToPath(new URL('../runtime/elect/lease-worker.ts', import.meta.url));

const CEL = fileURLToPath(new URL('../runtime/gates/cel/cel-worker.ts', import.meta.url));

/** The scripts of the operator; they lie in one folder. */
export const OPERATOR_FILES = {
  ...{ main: 'main.mjs', lease: 'lease-worker.mjs', cel: 'cel-worker.mjs' },
} as const;

/**
 * How Node runs the operator. A heap of 200 MB is enough for 5,000 nodes, and with small young generations the process stays
 * near it: bench/fleet.ts.
 */
export const OPERATOR_FLAGS = [
  '--disallow-code-generation-from-strings',
  '--max-old-space-size=200',
  '--max-semi-space-size=8',
] as const;

/**
 * bundleOperator puts the operator and all it imports into its scripts in a folder. The same sources give the same bytes.
 * @throws fleet/bundle-failed
 */
export async function bundleOperator(outDir: string): Promise<void> {
  try {
    await bundleScripts({ entryPoints: { main: MAIN, 'lease-worker': LEASE, 'cel-worker': CEL }, outDir });
  } catch (reason) {
    throw PlinthError.from(reason, 'fleet/bundle-failed', 'Cannot bundle the fleet operator');
  }
}
