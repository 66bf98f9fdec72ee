export { evaluatePredicate, evidenceRulesNumber } from './evaluate-predicate.ts';
export { type KernelMap, kernelMapFor } from './kernel/kernel-map.ts';
export {
  explainCompiledKernel,
  judgeKernelChange,
  type KernelChange,
  type KernelVerdict,
  type ProposedPredicate,
  proposeKernelPredicates,
} from './kernel/kernel-verdict.ts';
export type { ElfImports, ProgramFacts } from './program-facts.ts';
export { type ReadProgramsOptions, readPrograms } from './read-programs.ts';
export { recheck, type SortedStatements, sortStatements, type VexStatement } from './recheck.ts';
