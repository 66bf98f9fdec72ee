export { type LedgerEvent, readLedger } from './ledger.ts';
export { countClocks, type WatchOptions, type WatchResult, watch } from './watch.ts';
