export {
  applyConfig,
  askConfig,
  configReport,
  revertReason,
  takeConfigBack,
} from '../runtime/drive/config-part.ts';
export { type FakeFleet, type FakeFleetOptions, inTurns, startFakeFleet } from './nodes/fake-fleet.ts';
export type { Reboot, SlowMachine, SlowSystem } from './nodes/slow-machine.ts';
export { type SeenSlots, type WatchedAudit, watchAudit } from './watch-audit.ts';
