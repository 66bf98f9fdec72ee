export {
  type Channel,
  type ChannelRelease,
  type ChannelRule,
  channelJsonSchema,
  formatChannel,
  parseChannel,
  versionSchema,
} from './channel/channel.ts';
export {
  type ChannelDeadline,
  type ChannelDeadlines,
  deadlinesFile,
  deadlinesTarget,
  formatDeadlines,
  parseDeadlines,
} from './channel/deadlines.ts';
export { decideUpdate } from './channel/decide-update.ts';
export type {
  NoUpdate,
  NoUpdateCode,
  Update,
  UpdateDecision,
  UpdateReason,
  UpdatingNode,
} from './channel/rules.ts';
export {
  openBlockPacker,
  PACK_PAGE_BLOCKS,
  PACK_PAGE_BYTES,
  type PackPage,
  packPageOffset,
  readPackPage,
} from './delta/block-pack.ts';
export { blockRuns } from './delta/block-runs.ts';
export {
  type CopyRun,
  type DeltaOptions,
  type DeltaPlan,
  type FetchRange,
  planDelta,
} from './delta/plan-delta.ts';
export {
  type DrainPlan,
  type DrainPod,
  type DrainRules,
  namesOfPods,
  planDrain,
} from './drain/plan-drain.ts';
export {
  formatHotLayer,
  HOT_LAYER,
  HOT_LAYER_LIMIT_BYTES,
  HOT_LAYER_MANIFEST,
  type HotLayer,
  hotLayerImageName,
  hotLayerManifestOf,
  hotLayerNames,
  hotLayerVersion,
  MANIFEST_LIMIT_BYTES,
  parseHotLayer,
  SERIAL_LIMIT,
} from './hot-layer/hot-layer.ts';
export { type HotLayerNode, judgeHotLayer } from './hot-layer/judge-hot-layer.ts';
export {
  BOOT_CHAIN,
  formatManifest,
  type Manifest,
  type ManifestArtefact,
  type ManifestPartition,
  manifestJsonSchema,
  parseManifest,
} from './release/manifest.ts';
export {
  ARCHITECTURE,
  mediaTypeOf,
  PACKED_SUFFIX,
  type PartitionKind,
  type ReleaseNames,
  releaseNames,
  SUMS_FILE,
  SUMS_SIGNATURE_FILE,
} from './release/names.ts';
export { parseJson } from './release/parse-json.ts';
export {
  channelFile,
  channelTarget,
  REPOSITORY,
  REPOSITORY_LIMITS,
  TRUSTED_ROOT_PATH,
} from './repository.ts';
export {
  bootEntryName,
  parseBootEntryName,
  parseStagedEntryName,
  stagedEntryName,
} from './slots/boot-entry-name.ts';
export { planActivate, planBless, planCancel, planRecover, planRollback } from './slots/plan-activate.ts';
export { planStage } from './slots/plan-stage.ts';
export type { BootEntry, DiskStep, Slot, SlotDisk, SlotName } from './slots/slot-disk.ts';
export {
  EMPTY_LABEL,
  emptySlotNames,
  type PartitionName,
  readSlotNames,
  type SlotPartitionNames,
  slotNames,
} from './slots/slot-labels.ts';
export {
  type SlotView,
  type VersionInSlot,
  type VersionState,
  versionState,
  viewSlots,
  writeProtectedSlots,
} from './slots/versions.ts';
export {
  type BootedBy,
  decideStartWay,
  type RunningSystem,
  type StartWay,
  type StartWayFacts,
} from './start-way/decide-start-way.ts';
