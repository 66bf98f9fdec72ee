export { channelNames, emptyChannel, readChannel } from './channel/channel-store.ts';
export {
  type ChannelEdit,
  dropRule,
  editChannel,
  type RuleList,
  requireRelease,
} from './channel/edit-channel.ts';
export { type InitUpdateKeysOptions, initUpdateKeys } from './keys/init-update-keys.ts';
export {
  type RotatedUpdateKey,
  type RotateUpdateKeyOptions,
  rotateUpdateKey,
} from './keys/rotate-update-key.ts';
export { readTrustedRoot } from './keys/trusted-root.ts';
export { type PublishedRelease, type PublishOptions, publishRelease } from './release/publish-release.ts';
export {
  changeRepository,
  type RepositoryChange,
  type RepositoryOptions,
  type RepositoryOutcome,
} from './repository/change-repository.ts';
export type { Answered } from './serve/answer.ts';
export { type RunningServer, type ServeOptions, serveRepository } from './serve/serve-repository.ts';
