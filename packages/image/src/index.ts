export type { Manifest } from '@plinth/updates';
export { releaseNames } from '@plinth/updates';
export { BOOT_FILES, type BuildKeys, type PredictedPcrs } from './boot/boot-chain.ts';
export { type BuildOptions, type BuiltImage, buildImage } from './build/build-image.ts';
export type { AgentRecipe } from './build/build-tree.ts';
export { type BuildDifference, type ComparableBuild, compareBuilds } from './build/compare-builds.ts';
export { digestFolder } from './build/digest-folder.ts';
export {
  type BuildGoOptions,
  type BuiltGoComponent,
  buildGoComponent,
  findGoComponent,
} from './go/build-go-component.ts';
export { type GoComponent, loadGoComponents } from './go/go-component.ts';
export { type GoTools, type OpenGoToolsOptions, openGoTools, readGoToolchainKey } from './go/go-tools.ts';
export {
  type GoComponentSource,
  type GoComponentSourceOptions,
  goComponentSource,
} from './go/provide-go-components.ts';
export {
  type BuildHotLayerOptions,
  type BuiltHotLayer,
  buildHotLayer,
} from './hot-layer/build-hot-layer.ts';
export { type HotLayerOfReleasesOptions, hotLayerOfReleases } from './hot-layer/hot-layer-of-releases.ts';
export { type ExecuteLevel, executeLevels, renderIpePolicy } from './ipe/ipe-policy.ts';
export { type OciArchive, type OciImage, writeOciArchive } from './oci/write-oci-archive.ts';
export { diffReleases } from './release/diff-releases.ts';
export { type DiskFormat, diskFormats } from './release/disk/convert-disk.ts';
export { type Change, isSameContent, type ReleaseDiff } from './release/facts/diff-facts.ts';
export { inspectRelease, type ReleaseSummary } from './release/inspect-release.ts';
export { findManifest, readManifest } from './release/read-release.ts';
export { type ReleaseImageOptions, releaseImage } from './release/release-image.ts';
export { type SecureBootKeys, secureBootKeys } from './release/secure-boot-keys.ts';
export type { Check, TrustAnchors, VerifyReport } from './release/verify/check.ts';
export { readReferences } from './release/verify/read-reference.ts';
export { verifyDisk } from './release/verify/verify-disk.ts';
export { verifyRelease } from './release/verify/verify-release.ts';
export {
  type InitrdSpec,
  initrdSpecSchema,
  kernelArguments,
  loadOsSpec,
  type OsSpec,
  osSpecSchema,
  packageSetOf,
} from './spec/os-spec.ts';
export { type BuildKubernetesOptions, buildKubernetes } from './sysext/build-kubernetes.ts';
export type { BuiltLayer } from './sysext/build-kubernetes-layer.ts';
export { type SignedLayer, type SignedWorkload, signWorkload } from './workload/sign-workload.ts';
