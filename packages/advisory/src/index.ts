export * from './changelog/index.ts';
export * from './evidence/index.ts';
export * from './feeds/index.ts';
export {
  formatVexPaper,
  inventoryOfPapers,
  listSubjects,
  parseBuiltinModules,
  parseDeniedModules,
  readSubject,
} from './inventory/index.ts';
export { compareIds, isContained, judge, levelOf } from './judge/index.ts';
export * from './model/index.ts';
export * from './nodes/index.ts';
export * from './policy/index.ts';
export * from './publish/index.ts';
export * from './rollout/index.ts';
export * from './scan/index.ts';
export { type AdvisoryStore, openAdvisoryStore } from './store/index.ts';
export * from './waivers/index.ts';
export * from './watch/index.ts';
