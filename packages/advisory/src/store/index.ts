export { openAdvisoryStore } from './open-store.ts';
export type { AdvisoryStore, SeenOffer, StoreDump, StoredChangelog, StoredEntry } from './store.ts';
