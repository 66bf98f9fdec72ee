export { type Action, type Clock, type Decision, decide } from './decide.ts';
export { knowsFixes } from './knows-fixes.ts';
export { type AdvisoryPolicy, defaultPolicy, readPolicy } from './policy.ts';
