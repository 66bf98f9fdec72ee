import type { StartWay } from '@plinth/api';
import { printable } from '../output/printable.ts';

/** startWayText says how a version is started: "by soft-reboot", or "needs a full reboot: kernel 6.12.1 → 6.12.2". */
export function startWayText({ softReboot, reasons }: Pick<StartWay, 'softReboot' | 'reasons'>): string {
  return softReboot ? 'by soft-reboot' : `needs a full reboot: ${reasons.map(printable).join('; ')}`;
}
