import type { CheckResult } from '../../checks/check.ts';

/** Checks that say whether the config itself has come into effect; the others count only when they are critical. */
const OF_CONFIG: ReadonlySet<string> = new Set(['network-config', 'config-drift', 'kernel-config']);

/**
 * obstacles are the checks that keep a config from counting as healthy: critical ones and those about the config, unless
 * they pass. What could not be seen stands in the way too.
 * @param failingBefore critical checks that did not pass before the config came: not its fault
 */
export function obstacles(
  checks: readonly Pick<CheckResult, 'id' | 'verdict' | 'critical'>[],
  failingBefore: readonly string[] = [],
): readonly string[] {
  return checks
    .filter(({ verdict }) => verdict !== 'pass')
    .filter(({ id, critical }) => OF_CONFIG.has(id) || (critical && !failingBefore.includes(id)))
    .map(({ id }) => id);
}
