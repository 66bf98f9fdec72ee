export { type BundleModules, type BundleOptions, bundleAgent } from './build/bundle-agent.ts';
export type { BundledModule } from './build/list-modules.ts';
export { type CisBenchmark, cisBenchmark } from './health/cis/benchmark.ts';
export { type CisResult, type CisVerdict, evaluateCis } from './health/cis/evaluate.ts';
export { type CisFacts, type CisFile, readFlags, readStaticPod } from './health/cis/facts.ts';
export { healthRules } from './health/rules.ts';
export { type PathRule, type PathTable, pathTable } from './integrity/path-table.ts';
export { agentPrograms } from './programs.ts';
