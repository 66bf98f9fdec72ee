export { architecturesOf } from './architectures.ts';
export type { IdReason } from './classify-id.ts';
export { type ClassifiedId, classifyIds, extractClaims } from './extract-claims.ts';
export { type FoundId, findIds } from './find-ids.ts';
export { type LocatedEntry, parseChangelog } from './parse-changelog.ts';
export { type IdRole, rulesNumber } from './role-rules.ts';
