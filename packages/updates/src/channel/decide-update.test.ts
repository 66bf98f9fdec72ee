import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareUapiVersions } from '@plinth/base';
import fc from 'fast-check';
import { channelArbitrary, VERSIONS } from './channel.testing.ts';
import type { Channel } from './channel.ts';
import { decideUpdate } from './decide-update.ts';
import type { UpdateDecision, UpdatingNode } from './rules.ts';

const NODE: UpdatingNode = {
  booted: '1.0',
  channel: 'stable',
  architecture: 'x86-64',
  failed: [],
  kubernetesMinors: [],
};

const nodeArbitrary = fc.record({
  booted: fc.constantFrom<string[]>(...VERSIONS),
  channel: fc.constant('stable'),
  architecture: fc.constant('x86-64'),
  failed: fc
    .subarray([...VERSIONS], { maxLength: 3 })
    .map((versions) => versions.map((version) => ({ version, reason: 'it hung' }))),
  kubernetesMinors: fc.subarray(['1.36', '1.37'], { maxLength: 1 }),
});

const above = (left: string, right: string) => compareUapiVersions(left, right) > 0;

/** What a node may run, written down once more and apart from the code under test: every rule as a refusal of one edge. */
function mayGo(channel: Channel, node: UpdatingNode, from: string, to: string, wanted?: string): boolean {
  const has = (list: readonly { readonly version: string }[], version: string) =>
    list.some((one) => compareUapiVersions(one.version, version) === 0);
  const release = channel.releases.find(({ version }) => version === to);
  if (!release || has(channel.blocked, to) || has(channel.deadEnds, to) || has(channel.deadEnds, from))
    return false;
  if (has(node.failed, to) && to !== wanted) return false;
  const floor = channel.securityFloor?.version;
  if (floor !== undefined && above(floor, to) && !(has(channel.barriers, to) && above(to, node.booted)))
    return false;
  if (node.kubernetesMinors.some((minor) => release.kubernetes && !release.kubernetes.includes(minor)))
    return false;
  const leaps = (barrier: string) =>
    above(to, from)
      ? above(barrier, from) && above(to, barrier)
      : above(barrier, to) && !above(barrier, from);
  return !channel.barriers.some(({ version }) => leaps(version));
}

/** Every version that can be reached upwards, by trying all. */
function reachable(channel: Channel, node: UpdatingNode, wanted?: string): Set<string> {
  const found = new Set<string>();
  const waiting = [node.booted];
  for (let from = waiting.pop(); from !== undefined; from = waiting.pop()) {
    for (const { version } of channel.releases) {
      if (found.has(version) || !above(version, from) || !mayGo(channel, node, from, version, wanted))
        continue;
      found.add(version);
      waiting.push(version);
    }
  }
  return found;
}

test('without a wish a node goes to the newest version that a search over all ways can reach, and stays there', () => {
  let moved = 0;
  fc.assert(
    fc.property(channelArbitrary, nodeArbitrary, (channel, node) => {
      const [newest] = [...reachable(channel, node)].sort((left, right) => compareUapiVersions(right, left));
      let now: UpdatingNode = node;
      let expectedPath: readonly string[] | undefined;
      for (let steps = 0; ; steps++) {
        assert.ok(steps <= VERSIONS.length, 'it comes to no end');
        const decision = decideUpdate({ channel, node: now });
        if (decision.kind === 'none') {
          assert.ok(decision.message !== '' && decision.hint !== '');
          break;
        }
        // What was said to be still to pass is what is passed.
        if (expectedPath) assert.deepEqual(decision.path, expectedPath);
        expectedPath = decision.path.slice(1);
        assert.equal(decision.version, decision.path[0]);
        assert.equal(decision.release.version, decision.version);
        assert.ok(mayGo(channel, now, now.booted, decision.version), `${now.booted} to ${decision.version}`);
        assert.equal(decision.path.at(-1), newest);
        now = { ...now, booted: decision.version };
        moved++;
      }
      assert.equal(now.booted, newest ?? node.booted);
    }),
    { numRuns: 3000 },
  );
  assert.ok(moved > 500, `only ${moved} steps`);
});

test('a version that is wanted is reached exactly when a search over all ways reaches it', () => {
  fc.assert(
    fc.property(channelArbitrary, nodeArbitrary, fc.constantFrom(...VERSIONS), (channel, node, wanted) => {
      const decision = decideUpdate({ channel, node, wanted });
      const upwards = above(wanted, node.booted);
      const possible = upwards
        ? reachable(channel, node, wanted).has(wanted)
        : wanted !== node.booted && mayGo(channel, node, node.booted, wanted, wanted);
      assert.equal(decision.kind, possible ? 'update' : 'none', JSON.stringify(decision));
      if (decision.kind === 'none') return;
      assert.equal(decision.path.at(-1), wanted);
      let from = node.booted;
      for (const to of decision.path) {
        assert.ok(mayGo(channel, node, from, to, wanted), `${from} to ${to}`);
        from = to;
      }
    }),
    { numRuns: 3000 },
  );
});

test('never over a barrier, never blocked, never below the floor', () => {
  const wish = fc.option(fc.constantFrom(...VERSIONS), { nil: undefined });
  fc.assert(
    fc.property(channelArbitrary, nodeArbitrary, wish, (channel, node, wanted) => {
      const decision = decideUpdate({ channel, node, ...(wanted === undefined ? {} : { wanted }) });
      if (decision.kind === 'none') return;
      const { version } = decision;
      assert.ok(!channel.blocked.some((one) => one.version === version));
      const [low, high] = above(version, node.booted) ? [node.booted, version] : [version, node.booted];
      assert.ok(!channel.barriers.some((one) => above(one.version, low) && above(high, one.version)));
      const floor = channel.securityFloor?.version;
      if (floor === undefined || !above(floor, version)) return;
      // The one way below: a barrier above what runs, so that the node gets nearer to the floor.
      assert.ok(above(version, node.booted) && channel.barriers.some((one) => one.version === version));
    }),
    { numRuns: 3000 },
  );
});

const release = (version: string) => ({ version, manifest: `plinth_${version}_x86-64.manifest.json` });
const channelOf = (part: Partial<Channel>): Channel => ({
  format: 1,
  name: 'plinth',
  channel: 'stable',
  architecture: 'x86-64',
  releases: ['1.0', '1.1', '1.2', '2.0'].map(release),
  barriers: [],
  deadEnds: [],
  blocked: [],
  ...part,
});

/** Each refusal once: the channel, the node, the wish, and what is said. */
const REFUSALS: readonly (readonly [
  code: string,
  input: {
    readonly channel?: Partial<Channel>;
    readonly node?: Partial<UpdatingNode>;
    readonly wanted?: string;
  },
  said: RegExp,
])[] = [
  ['update/up-to-date', { node: { booted: '2.0' } }, /2\.0 is the newest of channel stable/],
  ['update/up-to-date', { wanted: '1.0' }, /runs already/],
  ['update/wrong-channel', { node: { channel: 'candidate' } }, /"stable", expected "candidate"/],
  ['update/wrong-architecture', { node: { architecture: 'arm64' } }, /x86-64, expected arm64/],
  ['update/not-in-channel', { wanted: '1.3' }, /does not offer/],
  [
    'update/blocked',
    { channel: { blocked: [{ version: '2.0', reason: 'it eats disks' }] }, wanted: '2.0' },
    /it eats disks/,
  ],
  [
    'update/blocked',
    { channel: { blocked: [{ version: '2.0', reason: 'it eats disks' }] }, node: { booted: '2.0' } },
    /runs and is blocked \(it eats disks\)/,
  ],
  [
    'update/blocked-here',
    { node: { booted: '1.2', failed: [{ version: '2.0', reason: 'kubelet never came' }] } },
    /kubelet never came/,
  ],
  [
    'update/dead-end',
    { channel: { deadEnds: [{ version: '1.0', reason: 'another disk layout' }] } },
    /another disk layout/,
  ],
  [
    'update/barrier',
    {
      channel: {
        barriers: [{ version: '1.1', reason: 'moves state' }],
        blocked: [{ version: '1.1', reason: 'bad' }],
      },
    },
    /leads through 1\.1 \(moves state\), which cannot be taken.*bad/,
  ],
  [
    'update/barrier',
    {
      channel: { barriers: [{ version: '1.2', reason: 'moves state' }] },
      node: { booted: '2.0' },
      wanted: '1.1',
    },
    /1\.2 lies between/,
  ],
  [
    'update/below-floor',
    {
      channel: { securityFloor: { version: '1.2', reason: 'CVE-1' } },
      node: { booted: '2.0' },
      wanted: '1.1',
    },
    /below the security floor 1\.2: CVE-1/,
  ],
  [
    'update/kubernetes-skew',
    {
      channel: { releases: [{ ...release('2.0'), kubernetes: ['1.38', '1.39'] }] },
      node: { kubernetesMinors: ['1.37'] },
    },
    /runs Kubernetes 1\.37, the release is for 1\.38, 1\.39/,
  ],
];

for (const [code, { channel, node, wanted }, said] of REFUSALS) {
  test(`no update: ${code}: ${said.source}`, () => {
    const decision: UpdateDecision = decideUpdate({
      channel: channelOf(channel ?? {}),
      node: { ...NODE, ...node },
      ...(wanted === undefined ? {} : { wanted }),
    });
    assert.ok(decision.kind === 'none', JSON.stringify(decision));
    assert.equal(decision.code, code);
    assert.match(decision.message, said);
  });
}

test('an update says why it is this one: stops, holes, and what is newer and out of reach', () => {
  const decision = decideUpdate({
    channel: channelOf({
      releases: [{ ...release('1.1'), security: true }, release('1.2'), release('2.0')],
      barriers: [{ version: '1.1', reason: 'moves state' }],
      blocked: [{ version: '2.0', reason: 'it eats disks' }],
      securityFloor: { version: '1.2', reason: 'CVE-1' },
    }),
    node: NODE,
  });
  assert.ok(decision.kind === 'update');
  assert.deepEqual([decision.version, decision.path], ['1.1', ['1.1', '1.2']]);
  assert.deepEqual(decision.reasons, [
    { message: 'Version 1.0 is below the security floor 1.2: CVE-1' },
    { message: 'Version 1.1 closes security holes' },
    { message: 'The way to 1.2 leads through 1.1: moves state' },
    { code: 'update/blocked', message: 'Cannot take 2.0: it is blocked: it eats disks' },
  ]);
});

test('a version that failed here is taken when it is named, and not by itself', () => {
  const node = { ...NODE, failed: [{ version: '2.0', reason: 'it hung' }] };
  const alone = decideUpdate({ channel: channelOf({}), node });
  assert.deepEqual(alone.kind === 'update' && alone.path, ['1.2']);
  const named = decideUpdate({ channel: channelOf({}), node, wanted: '2.0' });
  assert.deepEqual(named.kind === 'update' && named.path, ['2.0']);
});
