export { type BundleReport, exportBundle, importBundle, isBundle } from './bundle.ts';
export type { FeedHead } from './feed-content.ts';
export { stateOfFeed } from './feed-states.ts';
export { importFeed } from './import-feed.ts';
export { importedFeeds } from './imported-feeds.ts';
export { refreshIndexes, suitesFor } from './refresh.ts';
