export { type AuditOptions, type Auditor, openAuditor } from './auditor.ts';
export type { Observation, ObservedPod, ObservedStart, Violation } from './observation.ts';
