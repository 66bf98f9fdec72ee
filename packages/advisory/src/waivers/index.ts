export {
  type AppliedWaiver,
  addWaiver,
  applyWaivers,
  currentWaivers,
  isLate,
  newWaiver,
  readWaivers,
  type WaivedDecision,
  type Waiver,
} from './waivers.ts';
