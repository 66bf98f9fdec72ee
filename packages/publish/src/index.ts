export { changeRule, promote, type RuleRequest, setDeadline } from './channel/change-channel.ts';
export { channelNames, readDeadlines, requireChannel } from './channel/channel-store.ts';
export { type InitUpdateKeysOptions, initUpdateKeys } from './keys/init-update-keys.ts';
export { rotateUpdateKey } from './keys/rotate-update-key.ts';
export { exportTrustedRoot, readTrustedRoot } from './keys/trusted-root.ts';
export { pushRelease } from './oci/push-release.ts';
export { isOciReference } from './oci/reference.ts';
export { type PrunedReleases, type PruneOptions, pruneReleases } from './release/prune-releases.ts';
export {
  type PublishedHotLayer,
  type PublishHotLayerOptions,
  publishHotLayer,
} from './release/publish-hot-layer.ts';
export { type PublishedRelease, type PublishOptions, publishRelease } from './release/publish-release.ts';
export type { RepositoryOptions } from './repository/change-repository.ts';
export { loadRepository } from './repository/load-repository.ts';
export { readTargetList } from './repository/plan-renewal.ts';
export { type Expiry, readExpiries, refreshRepository } from './repository/refresh-repository.ts';
export { serveRepository } from './serve/serve-repository.ts';
export { exportSumsKey, initSumsKey } from './sysupdate/openpgp-key.ts';
export { type RepositoryCheck, verifyServed } from './verify/verify-served.ts';
