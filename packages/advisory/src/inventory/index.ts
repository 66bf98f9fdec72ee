export { isLayerPaper, readLayerPaper } from './from-layer.ts';
export { inventoryOfPapers } from './from-release.ts';
export { parseBuiltinModules, parseDeniedModules } from './kernel-facts.ts';
export { listSubjects } from './list-subjects.ts';
export { readSubject } from './read-subject.ts';
export { releaseArchitecture } from './release-architecture.ts';
export { formatVexPaper, statementFields } from './vex-paper.ts';
