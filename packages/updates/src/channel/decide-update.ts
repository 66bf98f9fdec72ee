import { compareUapiVersions, describeCode, type ErrorCode } from '@plinth/base';
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

/**
 * decideUpdate says which version a node takes next from its channel, or why none. Pure: the same arguments, the same answer.
 * Without `wanted` the node goes to the newest version that it can reach upwards. It stops at each barrier on its way. It never
 * takes a version that is blocked, that failed here or from which nothing leads on, and never one below the security floor, other
 * than a barrier that lies above what it runs. A version that is wanted by name may be older than what runs, down to the floor and
 * the last barrier, and may be one that failed here.
 * @param wanted version that was asked for by name
 */
export function decideUpdate(input: {
  readonly channel: Channel;
  readonly node: UpdatingNode;
  readonly wanted?: string;
}): UpdateDecision {
  const { channel, node, wanted } = input;
  if (channel.channel !== node.channel) {
    return none(
      'update/wrong-channel',
      `Cannot update: the channel is "${channel.channel}", expected "${node.channel}"`,
    );
  }
  if (channel.architecture !== node.architecture) {
    return none(
      'update/wrong-architecture',
      `Cannot update: the channel is for ${channel.architecture}, expected ${node.architecture}`,
    );
  }
  const rules = new Rules(channel, node, wanted);
  if (wanted !== undefined) return decideWanted(rules, wanted);
  return decideNewest(rules);
}

function decideWanted(rules: Rules, wanted: string): UpdateDecision {
  const { channel, node } = rules;
  const order = compareUapiVersions(wanted, node.booted);
  if (order === 0) return none('update/up-to-date', `Version ${wanted} runs already`);
  const problem = rules.stuck() ?? rules.refusal(wanted);
  if (problem) return none(problem.code, problem.message);
  if (order < 0) {
    const over = channel.barriers.find(
      ({ version }) => newer(version, wanted) && !newer(version, node.booted),
    );
    if (!over) return rules.update([wanted]);
    const message = `Cannot go back to ${wanted}: ${over.version} lies between and must not be crossed (${over.reason})`;
    return none('update/barrier', message);
  }
  const stops = rules.barriersBetween(node.booted, wanted);
  for (const { version, reason } of stops) {
    const obstacle = rules.refusal(version);
    if (!obstacle) continue;
    const way = `the way leads through ${version} (${reason})`;
    return none(
      'update/barrier',
      `Cannot update to ${wanted}: ${way}, which cannot be taken: ${obstacle.message}`,
    );
  }
  return rules.update([...stops.map(({ version }) => version), wanted]);
}

function decideNewest(rules: Rules): UpdateDecision {
  const { channel, node } = rules;
  const above = channel.releases
    .map(({ version }) => version)
    .filter((version) => newer(version, node.booted))
    .sort(compareUapiVersions);
  const newest = above.at(-1);
  if (newest === undefined) {
    const blocked = channel.blocked.find(({ version }) => same(version, node.booted));
    if (!blocked)
      return none('update/up-to-date', `Version ${node.booted} is the newest of channel ${channel.channel}`);
    const message = `Version ${node.booted} runs and is blocked (${blocked.reason}), but the channel has none that is newer`;
    return none('update/blocked', message);
  }
  const stuck = rules.stuck();
  if (stuck) return none(stuck.code, stuck.message);

  // Upwards from barrier to barrier; what lies behind one that cannot be taken is out of reach.
  const path: string[] = [];
  let obstacle: Obstacle | undefined;
  for (const { version, reason } of rules.barriersBetween(node.booted, newest)) {
    obstacle = rules.refusal(version);
    if (obstacle) {
      const state = `the way to ${newest} leads through ${version} (${reason}), which cannot be taken`;
      obstacle = {
        code: 'update/barrier',
        message: `Cannot update past ${version}: ${state}: ${obstacle.message}`,
        at: version,
      };
      break;
    }
    path.push(version);
  }
  const from = path.at(-1) ?? node.booted;
  const until = obstacle?.at;
  const last = above.findLast(
    (version) =>
      newer(version, from) &&
      (until === undefined || newer(until, version)) &&
      rules.refusal(version) === undefined,
  );
  if (last !== undefined) path.push(last);
  const reached = path.at(-1);
  const passedOver =
    reached !== undefined && same(reached, newest) ? undefined : (obstacle ?? rules.refusal(newest));
  if (path.length > 0) return rules.update(path, passedOver);
  return none(
    passedOver?.code ?? 'update/up-to-date',
    passedOver?.message ?? `Version ${node.booted} is the newest that can be reached`,
  );
}

interface Obstacle {
  readonly code: NoUpdateCode;
  readonly message: string;
  /** The barrier that cannot be taken. */
  readonly at?: string;
}

/** What the channel and the node say of single versions. */
class Rules {
  readonly channel: Channel;
  readonly node: UpdatingNode;
  readonly #wanted: string | undefined;

  constructor(channel: Channel, node: UpdatingNode, wanted: string | undefined) {
    this.channel = channel;
    this.node = node;
    this.#wanted = wanted;
  }

  /** Why nothing leads on from what runs. */
  stuck(): Obstacle | undefined {
    const end = this.channel.deadEnds.find(({ version }) => same(version, this.node.booted));
    if (!end) return undefined;
    return { code: 'update/dead-end', message: `No update leads on from ${end.version}: ${end.reason}` };
  }

  /** Why the node must not run a version, leaving aside how it gets there. */
  refusal(version: string): Obstacle | undefined {
    const { blocked, deadEnds, barriers, releases, securityFloor: floor } = this.channel;
    const refuse = (code: NoUpdateCode, state: string): Obstacle => {
      return { code, message: `Cannot take ${version}: ${state}` };
    };
    const release = releases.find((one) => same(one.version, version));
    if (!release) return refuse('update/not-in-channel', `channel ${this.channel.channel} does not offer it`);
    const block = blocked.find((one) => same(one.version, version));
    if (block) return refuse('update/blocked', `it is blocked: ${block.reason}`);
    const end = deadEnds.find((one) => same(one.version, version));
    if (end) return refuse('update/dead-end', `no update would lead on from it: ${end.reason}`);
    // A barrier on the way up is passed even below the floor: the node runs something older still.
    const onTheWayUp = newer(version, this.node.booted) && barriers.some((one) => same(one.version, version));
    if (floor && newer(floor.version, version) && !onTheWayUp) {
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
      .filter(({ version }) => newer(version, from) && newer(to, version))
      .sort((left, right) => compareUapiVersions(left.version, right.version));
  }

  update(path: readonly string[], passedOver?: Obstacle): UpdateDecision {
    const version = path[0] ?? '';
    const release = this.channel.releases.find((one) => same(one.version, version));
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
    if (floor && newer(floor.version, node.booted)) {
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

function none(code: NoUpdateCode, message: string): NoUpdate {
  return { kind: 'none', code, message, hint: describeCode(code).fix };
}

/** UAPI.10 gives some different texts the same place ("1.0" and "1.00"); they are the same version then. */
function same(left: string, right: string): boolean {
  return compareUapiVersions(left, right) === 0;
}

function newer(left: string, right: string): boolean {
  return compareUapiVersions(left, right) > 0;
}
