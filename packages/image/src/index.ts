export { BOOT_FILES, type BuildKeys, type PredictedPcrs } from './boot/boot-chain.ts';
export { type BuildOptions, type BuiltImage, buildImage } from './build/build-image.ts';
export type { AgentRecipe } from './build/build-tree.ts';
export { type BuildDifference, compareBuilds } from './build/compare-builds.ts';
export { digestFolder } from './build/digest-folder.ts';
export { type InitrdSpec, loadOsSpec, type OsSpec, packageSetOf } from './spec/os-spec.ts';
