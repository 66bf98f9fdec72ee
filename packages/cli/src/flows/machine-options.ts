import { flag, integer, optional } from '../framework/options.ts';

/** Size of a machine, and how it boots. */
export const machineSizeOptions = {
  memory: integer('MIB', { min: 512, max: 1_048_576, fallback: 2048 }, 'Memory of a machine'),
  cpus: integer('COUNT', { min: 1, max: 64, fallback: 2 }, 'Processors of a machine'),
  insecure: flag('Start without Secure Boot; the node reports it'),
} as const;

/** Options of a command that starts one machine. */
export const machineOptions = {
  ...machineSizeOptions,
  apiPort: integer('PORT', { min: 0, max: 65_535, fallback: 0 }, 'Port of the API here; 0 is any free one'),
} as const;

export const machineName = optional('NAME', 'Name of the machine (default: local)');
