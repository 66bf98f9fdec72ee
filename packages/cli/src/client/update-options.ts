import { flag, integer, text, type ValuesOf } from '../framework/options.ts';
import { machineOptions } from './machine-options.ts';
import { manyNodeOptions } from './many-options.ts';
import { nodeOptions } from './node-options.ts';

const { reason, override, drain, drainTimeout, force, yes, context } = machineOptions;

/** Options of the commands that bring a node to another version of its system. */
export const rollBackOptions = {
  ...{ reason, override, drain, drainTimeout, force, yes, context },
  timeout: integer('SECONDS', { min: 10, max: 14_400, fallback: 3600 }, 'How long to wait; the node goes on'),
} as const;

/** Options of what is one call. */
export const callOptions = { context, timeout: nodeOptions.timeout } as const;

const { timeout } = rollBackOptions;
const to = text('VERSION', 'Default: what its channel offers');

export const stageOptions = { to, context, timeout, ...manyNodeOptions } as const;
const fullReboot = flag('Also where a soft-reboot would do');
export const activateOptions = { fullReboot, ...rollBackOptions, ...manyNodeOptions } as const;
export const upgradeOptions = { to, ...activateOptions } as const;

export type RollBackOptions = ValuesOf<typeof rollBackOptions>;
export type StageOptions = ValuesOf<typeof stageOptions>;
export type UpgradeOptions = ValuesOf<typeof upgradeOptions>;
