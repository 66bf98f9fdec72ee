export { type BundleModules, type BundleOptions, bundleAgent } from './build/bundle-agent.ts';
export type { BundledModule } from './build/list-modules.ts';
export { healthRules } from './health/rules.ts';
export { type PathRule, type PathTable, pathTable } from './integrity/path-table.ts';
export { agentPrograms } from './programs.ts';
