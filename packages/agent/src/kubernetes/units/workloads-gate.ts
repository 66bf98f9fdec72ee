import { UNITS } from '../plans/node-parts.ts';
import type { Units } from './run-unit.ts';

/** Each of them leads to a kubelet that runs. */
const LEADS_TO_WORKLOADS: readonly string[] = [UNITS.kubelet, UNITS.init, UNITS.join];

/**
 * gatedUnits starts nothing that leads to workloads before they may start, whichever step or restart asks for it.
 * @param beforeWorkloads fulfilled when they may; what it throws is what the start throws
 */
export function gatedUnits(units: Units, beforeWorkloads: () => Promise<void>): Units {
  return {
    ...units,
    async run(verb, unit, options) {
      if (verb !== 'stop' && LEADS_TO_WORKLOADS.includes(unit)) await beforeWorkloads();
      return units.run(verb, unit, options);
    },
  };
}
