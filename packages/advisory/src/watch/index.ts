export { type AffectedSubject, affectedSubjects, isNamedByFeeds } from './affected.ts';
export { type FollowClock, type FollowOptions, follow, type Look } from './follow/index.ts';
export { storeInventory } from './inventory-files.ts';
export { type LedgerEvent, type LedgerLine, readLedger } from './ledger.ts';
export { isWatchFolder } from './proofs.ts';
export { type VerifyWatchOptions, verifyWatch } from './verify-watch.ts';
export { countClocks, type WatchOptions, type WatchResult, watch } from './watch.ts';
