export * from './changelog/index.ts';
export * from './evidence/index.ts';
export * from './feeds/index.ts';
export { readSubject } from './inventory/index.ts';
export { compareIds, isContained, judge, levelOf } from './judge/index.ts';
export * from './model/index.ts';
export * from './publish/index.ts';
export * from './scan/index.ts';
export { type AdvisoryStore, openSqliteStore } from './store/index.ts';
