export { findPapers, type Papers, type PapersFound } from './find-papers.ts';
export type {
  JudgedNode,
  MergedLayer,
  NodeState,
  NodesReport,
  OldCode,
  RunningRelease,
} from './node-state.ts';
export { scanNodes } from './scan-nodes.ts';
