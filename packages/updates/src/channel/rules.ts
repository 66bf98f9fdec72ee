import { compareUapiVersions, describeCode, type ErrorCode } from '@plinth/base';
import { isNewer } from '../is-newer.ts';
import type { Channel, ChannelRelease } from './channel.ts';

/** What a node is, as far as the choice of its next version is concerned. */
export interface UpdatingNode {
  /** The version that runs. */
  readonly booted: string;
  /** The channel it follows, by its machine config. */
  readonly channel: string;
  /** In the spelling of systemd. */
  readonly architecture: string;
  /** Versions that this node does not take by itself, and why: they failed here, or were rolled back from. */
  readonly failed: readonly { readonly version: string; readonly reason: string }[];
  /** Minor versions of Kubernetes that the node runs or is to run, "1.37"; empty when it is no member of a cluster. */
  readonly kubernetesMinors: readonly string[];
}

/** Why there is no version to go to. */
export type NoUpdateCode = Extract<
  ErrorCode,
  | 'update/up-to-date'
  | 'update/wrong-channel'
  | 'update/wrong-architecture'
  | 'update/not-in-channel'
  | 'update/blocked'
  | 'update/blocked-here'
  | 'update/dead-end'
  | 'update/barrier'
  | 'update/below-floor'
  | 'update/kubernetes-skew'
>;

export interface NoUpdate {
  readonly kind: 'none';
  readonly code: NoUpdateCode;
  readonly message: string;
  readonly hint: string;
}

export interface Update {
  readonly kind: 'update';
  /** The version to take now: the first of `path`. */
  readonly version: string;
  readonly release: ChannelRelease;
  /** Versions to become healthy in, one after the other; the last one is where the node is going. */
  readonly path: readonly string[];
  /** For people: why this one, and why none that is newer. */
  readonly reasons: readonly UpdateReason[];
}

export interface UpdateReason {
  /** Absent: no obstacle, an explanation. */
  readonly code?: NoUpdateCode;
  readonly message: string;
}

export type UpdateDecision = Update | NoUpdate;

/** Why a version is not taken. */
export interface Obstacle {
  readonly code: NoUpdateCode;
  readonly message: string;
  /** The barrier that cannot be taken. */
  readonly at?: string;
}

/** What the channel and the node say of single versions, leaving aside which one is chosen. */
export class Rules {
  readonly channel: Channel;
  readonly node: UpdatingNode;
  readonly #wanted: string | undefined;
  readonly #byText: ReadonlyMap<string, ChannelRelease>;

  constructor(channel: Channel, node: UpdatingNode, wanted: string | undefined) {
    this.channel = channel;
    this.node = node;
    this.#wanted = wanted;
    this.#byText = new Map(channel.releases.map((release) => [release.version, release]));
  }

  /** Why nothing leads on from what runs. */
  stuck(): Obstacle | undefined {
    const end = this.channel.deadEnds.find(({ version }) => same(version, this.node.booted));
    if (!end) return undefined;
    return { code: 'update/dead-end', message: `No update leads on from ${end.version}: ${end.reason}` };
  }

  /** Why the node must not run a version, leaving aside how it gets there. */
  refusal(version: string): Obstacle | undefined {
    const { blocked, deadEnds, barriers, securityFloor: floor } = this.channel;
    const refuse = (code: NoUpdateCode, state: string): Obstacle => {
      return { code, message: `Cannot take ${version}: ${state}` };
    };
    const release = this.#release(version);
    if (!release) return refuse('update/not-in-channel', `channel ${this.channel.channel} does not offer it`);
    const block = blocked.find((one) => same(one.version, version));
    if (block) return refuse('update/blocked', `it is blocked: ${block.reason}`);
    const end = deadEnds.find((one) => same(one.version, version));
    if (end) return refuse('update/dead-end', `no update would lead on from it: ${end.reason}`);
    // A barrier on the way up is passed even below the floor: the node runs something older still.
    const onTheWayUp =
      isNewer(version, this.node.booted) && barriers.some((one) => same(one.version, version));
    if (floor && isNewer(floor.version, version) && !onTheWayUp) {
      return refuse('update/below-floor', `it is below the security floor ${floor.version}: ${floor.reason}`);
    }
    const failure = this.node.failed.find((one) => same(one.version, version));
    if (failure && (this.#wanted === undefined || !same(this.#wanted, version))) {
      return refuse('update/blocked-here', `it did not stay on this node: ${failure.reason}`);
    }
    const minor =
      release.kubernetes && this.node.kubernetesMinors.find((one) => !release.kubernetes?.includes(one));
    if (minor === undefined) return undefined;
    const made = release.kubernetes?.join(', ') || 'none';
    return refuse('update/kubernetes-skew', `the node runs Kubernetes ${minor}, the release is for ${made}`);
  }

  /** Barriers above one version and below another, oldest first. */
  barriersBetween(from: string, to: string): Channel['barriers'] {
    return this.channel.barriers
      .filter(({ version }) => isNewer(version, from) && isNewer(to, version))
      .sort((left, right) => compareUapiVersions(left.version, right.version));
  }

  /** To compare versions takes time where nothing is compiled, so the same text is looked for first. */
  #release(version: string): ChannelRelease | undefined {
    return this.#byText.get(version) ?? this.channel.releases.find((one) => same(one.version, version));
  }

  /** The decision to take the first version of a way. */
  update(path: readonly string[], passedOver?: Obstacle): UpdateDecision {
    const version = path[0] ?? '';
    const release = this.#release(version);
    if (!release)
      return none('update/not-in-channel', `Cannot take ${version}: the channel does not offer it`);
    return { kind: 'update', version, release, path, reasons: this.#reasons(path, release, passedOver) };
  }

  #reasons(
    path: readonly string[],
    release: ChannelRelease,
    passedOver: Obstacle | undefined,
  ): UpdateReason[] {
    const { node, channel } = this;
    const reasons: UpdateReason[] = [];
    const floor = channel.securityFloor;
    if (floor && isNewer(floor.version, node.booted)) {
      reasons.push({
        message: `Version ${node.booted} is below the security floor ${floor.version}: ${floor.reason}`,
      });
    }
    const blocked = channel.blocked.find((one) => same(one.version, node.booted));
    if (blocked) reasons.push({ message: `Version ${node.booted} runs and is blocked: ${blocked.reason}` });
    if (release.security) reasons.push({ message: `Version ${release.version} closes security holes` });
    if (path.length > 1) {
      const barrier = channel.barriers.find((one) => same(one.version, release.version));
      reasons.push({
        message: `The way to ${path.at(-1)} leads through ${release.version}${barrier ? `: ${barrier.reason}` : ''}`,
      });
    }
    if (passedOver) reasons.push({ code: passedOver.code, message: passedOver.message });
    return reasons;
  }
}

/** none says that there is no version to go to. */
export function none(code: NoUpdateCode, message: string): NoUpdate {
  return { kind: 'none', code, message, hint: describeCode(code).fix };
}

/** UAPI.10 gives some different texts the same place ("1.0" and "1.00"); they are the same version then. */
export function same(left: string, right: string): boolean {
  return left === right || compareUapiVersions(left, right) === 0;
}
