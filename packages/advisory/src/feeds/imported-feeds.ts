import type { FeedName } from '../model/index.ts';
import { adapters } from './adapters/index.ts';

/** Feeds that Plinth does not fetch itself; they come in by import. */
export const importedFeeds: readonly FeedName[] = adapters.map(({ name }) => name);
