import type { FactsFile } from '../release/facts/release-facts.ts';

/** Paths that stay with the image, with the reason a person is told; the first that fits counts. */
const STAYS: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^(?!\/usr\/)/, 'it lies outside of /usr, where an extension cannot reach'],
  [/^\/usr\/lib\/modules\//, 'a running kernel keeps its modules'],
  [/^\/usr\/lib\/firmware\//, 'drivers read firmware before a layer is merged'],
  [
    /^\/usr\/lib\/systemd\/(?:systemd|systemd-executor|libsystemd-core-[^/]*)$/,
    'a failed change of PID 1 stops the machine',
  ],
  [/^\/usr\/lib\/systemd\/boot\//, 'the boot loader lies on the ESP'],
  [/^\/usr\/lib\/plinth\//, 'plinthd judges the layer and takes it back; it comes with its image'],
  [/^\/usr\/lib\/(?:os-release|extension-release\.d\/)/, 'it says what the image is'],
  [
    /^\/usr\/lib\/(?:systemd\/(?:system|network|system-generators|[^/]*\.conf\.d)|udev|tmpfiles\.d|sysusers\.d|sysctl\.d|modules-load\.d|modprobe\.d|repart\.d|ipe)(?:\/|$)/,
    'definitions are read at boot, before or while a layer is merged',
  ],
  [/^\/usr\/share\/dbus-1\//, 'the message bus reads it once, and cannot be restarted'],
];

const LIBRARY = /\.so(?:\.[0-9.]+)?$/;

/**
 * whyNotHot tells why a change of one path cannot be made while a node runs; undefined when it can. An extension adds and
 * replaces, it cannot take away: only a library that a link leads past may go. Pure.
 */
export function whyNotHot(
  path: string,
  old: FactsFile | undefined,
  fresh: FactsFile | undefined,
): string | undefined {
  const stays = STAYS.find(([pattern]) => pattern.test(path))?.[1];
  if (stays !== undefined) return stays;
  const kinds = [old?.kind, fresh?.kind].filter((kind) => kind !== undefined);
  if (kinds.some((kind) => !['file', 'dir', 'symlink'].includes(kind)))
    return 'it is no file, folder or link';
  if (old && fresh && old.kind !== fresh.kind) return `it was a ${old.kind} and is a ${fresh.kind}`;
  if (fresh && (fresh.mode & 0o6000) !== 0) return 'it would run with the rights of its owner';
  if (old && !fresh && old.kind !== 'dir' && !LIBRARY.test(path))
    return 'it is gone, and a layer cannot take it away';
  if (old?.kind === 'dir' && fresh && old.mode !== fresh.mode) return 'the rights of a folder differ';
  return undefined;
}
