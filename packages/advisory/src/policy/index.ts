export { type Action, type Clock, type Decision, decide } from './decide.ts';
export { type AdvisoryPolicy, defaultPolicy, readPolicy } from './policy.ts';
