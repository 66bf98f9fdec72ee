export { type AffectedSubject, affectedSubjects, isNamedByFeeds } from './affected.ts';
export { storeInventory } from './inventory-files.ts';
export { type LedgerEvent, readLedger } from './ledger.ts';
export { countClocks, type WatchOptions, type WatchResult, watch } from './watch.ts';
