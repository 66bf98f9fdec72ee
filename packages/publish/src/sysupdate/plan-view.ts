import { compareUapiVersions } from '@plinth/base';
import { hex, sha256 } from '@plinth/formats';
import type { Channel, Manifest } from '@plinth/updates';
import type { TargetList } from '../repository/plan-renewal.ts';

/** What a folder for stock systemd-sysupdate holds. */
export interface SysupdateView {
  /** Files of the repository's targets to link, by name. */
  readonly files: readonly string[];
  /** An empty file by this name in the list makes clients refuse the list from that day on. */
  readonly bestBefore: string;
  /** SHA256SUMS: sorted, 64 digits, two spaces, a plain name (systemd-sysupdate is strict about it). */
  readonly sums: string;
}

const DAY_MS = 86_400_000;

/**
 * planView says what stock clients are offered: every release of the channel that a node could take too. They know neither barriers
 * nor the floor nor blocked versions, so what must not be taken is left out.
 * @param manifests of the releases, by version
 * @param expires when the timestamp ends; the list ends with the day after, as it knows days only
 */
export function planView(
  channel: Channel,
  manifests: ReadonlyMap<string, Manifest>,
  targets: TargetList,
  expires: string,
): SysupdateView {
  const { blocked, deadEnds, securityFloor } = channel;
  const isFit = (version: string) =>
    ![...blocked, ...deadEnds].some((rule) => rule.version === version) &&
    (!securityFloor || compareUapiVersions(version, securityFloor.version) >= 0);
  const files = channel.releases
    .filter(({ version }) => isFit(version))
    .flatMap(({ version, manifest }) => [
      ...(manifests.get(version)?.artefacts ?? []).map(({ name }) => name),
      manifest,
    ]);
  const day = new Date(Date.parse(expires) + DAY_MS).toISOString().slice(0, 10);
  const bestBefore = `BEST-BEFORE-${day}`;
  const digests = new Map(files.map((name) => [name, targets[name]?.sha256 ?? '']));
  digests.set(bestBefore, hex(sha256(new Uint8Array())));
  const sums = [...digests].map(([name, digest]) => `${digest}  ${name}\n`);
  return { files, bestBefore, sums: sums.sort((a, b) => (a.slice(66) < b.slice(66) ? -1 : 1)).join('') };
}
