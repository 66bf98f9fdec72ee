export { decideNode } from './decide-node.ts';
export { isInFlight } from './phases.ts';
export { isNews, reportOf } from './report.ts';
export { isReleased } from './slot.ts';
export { isAtTarget, isStaged, withTarget } from './target.ts';
