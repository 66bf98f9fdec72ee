export * from './changelog/index.ts';
export { readSubject } from './inventory/index.ts';
export { compareIds, isContained, judge, levelOf } from './judge/index.ts';
export * from './model/index.ts';
export * from './publish/index.ts';
export * from './scan/index.ts';
export { openSqliteStore } from './store/index.ts';
