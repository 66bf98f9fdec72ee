export { openSqliteStore } from './sqlite-store.ts';
export type { AdvisoryStore, SeenOffer, StoreDump, StoredChangelog, StoredEntry } from './store.ts';
