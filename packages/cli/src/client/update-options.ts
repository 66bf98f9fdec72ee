import { flag, integer, text, type ValuesOf } from '../framework/options.ts';
import { machineOptions } from './machine-options.ts';
import { manyNodeOptions } from './many-options.ts';

const { reason, override, drain, drainTimeout, force, yes, context } = machineOptions;

/** Options of the commands that bring a node to another version of its system. */
export const rollBackOptions = {
  ...{ reason, override, drain, drainTimeout, force, yes, context },
  timeout: integer('SECONDS', { min: 10, max: 14_400, fallback: 3600 }, 'How long to wait; the node goes on'),
} as const;

export const upgradeOptions = {
  to: text('VERSION', 'Default: what its channel offers'),
  stageOnly: flag('Only bring it to the disk; nothing reboots'),
  activateOnly: flag('Only reboot into what is staged'),
  check: flag('Only ask the repository what it offers'),
  cancel: flag('End staging, or take back what is staged'),
  unblock: text('VERSION', 'Let it be taken again; change nothing else'),
  ...rollBackOptions,
  ...manyNodeOptions,
} as const;

export type RollBackOptions = ValuesOf<typeof rollBackOptions>;
export type UpgradeOptions = ValuesOf<typeof upgradeOptions>;
