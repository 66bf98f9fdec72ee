export { compareIds } from './aliases.ts';
export { sourceComponents } from './components.ts';
export { isContained } from './contained.ts';
export { applyRules, conclude, judge } from './judge.ts';
export type { EvidenceRules, FlawFacts, JudgeOptions, Knowledge } from './knowledge.ts';
export { changelogKey } from './knowledge.ts';
export { levelOf } from './report.ts';
