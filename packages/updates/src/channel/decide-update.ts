import { compareUapiVersions } from '@plinth/base';
import { isNewer } from '../is-newer.ts';
import type { Channel } from './channel.ts';
import { none, type Obstacle, Rules, same, type UpdateDecision, type UpdatingNode } from './rules.ts';

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
      ({ version }) => isNewer(version, wanted) && !isNewer(version, node.booted),
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
    .filter((version) => isNewer(version, node.booted))
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
      isNewer(version, from) &&
      (until === undefined || isNewer(until, version)) &&
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
