/** Where things lie below the address of a release repository. Any web server that serves files can be one. */
export const REPOSITORY = {
  /** TUF metadata: N.root.json, timestamp.json, N.snapshot.json, N.targets.json, N.images.json. */
  metadata: 'metadata',
  /** TUF targets: the files of releases by their plain names, and channels/NAME.json. Names are not prefixed by hashes. */
  targets: 'targets',
  /** Views for stock systemd-sysupdate, one folder a channel: SHA256SUMS, its signature, BEST-BEFORE-…, the same files. */
  sysupdate: 'sysupdate',
} as const;

/** Where the image carries the root of trust for updates: the first N.root.json its nodes believe. */
export const TRUSTED_ROOT_PATH = '/usr/lib/plinth/update-root.json';

/** channelTarget is the name of the target that says what a channel offers. */
export function channelTarget(channel: string): string {
  return `channels/${channel}.json`;
}

/**
 * channelFile is the file below `targets/` to fetch a channel from, by the digest that the metadata name: a channel is the one
 * target that changes, and under this name a reader gets the one its metadata are of, also while the next is published. The
 * plain name is there too, for people; it is of the newest metadata only.
 */
export function channelFile(channel: string, sha256: string): string {
  return `channels/${sha256}.${channel}.json`;
}

/** Limits of what a node takes from a repository it does not trust yet, in bytes. */
export const REPOSITORY_LIMITS = {
  metadataBytes: 1024 * 1024,
  channelBytes: 1024 * 1024,
  manifestBytes: 1024 * 1024,
} as const;
