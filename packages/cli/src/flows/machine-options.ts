import { flag, integer, optional } from '../framework/options.ts';

/** Options of every command that starts a machine. */
export const machineOptions = {
  memory: integer('MIB', { min: 512, max: 1_048_576, fallback: 2048 }, 'Memory of the machine'),
  cpus: integer('COUNT', { min: 1, max: 64, fallback: 2 }, 'Processors of the machine'),
  apiPort: integer('PORT', { min: 0, max: 65_535, fallback: 0 }, 'Port of the API here; 0 is any free one'),
  insecure: flag('Start without Secure Boot; the node reports it'),
} as const;

export const machineName = optional('NAME', 'Name of the machine (default: local)');
