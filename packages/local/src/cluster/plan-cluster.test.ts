import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ClusterMember } from './cluster-network.ts';
import { type ObservedMember, planCluster } from './plan-cluster.ts';

type Node = NonNullable<ObservedMember['node']>;
const cp = (name: string) => ({ name, role: 'control-plane' as const });
const worker = (name: string) => ({ name, role: 'worker' as const });
const none: Node = { membership: 'none' };
const member: Node = { membership: 'member', act: { kind: 'join', state: 'done' } };
const runs = (name: string, node?: Node): ObservedMember => ({
  name,
  machine: 'running',
  ...(node && { node }),
});

const three = [cp('a'), cp('b'), worker('w'), worker('x')];
for (const [title, observed, steps] of [
  ['starts what does not run, all at once', [runs('a', none), runs('w')], ['start b', 'start x']],
  [
    'resumes what is paused',
    [runs('a'), { name: 'b', machine: 'paused' }, runs('w'), runs('x')],
    ['resume b'],
  ],
  [
    'waits for nodes that do not answer',
    [runs('a'), runs('b', none), runs('w'), runs('x', none)],
    ['reach a', 'reach w'],
  ],
  ['bootstraps the first control plane alone', three.map(({ name }) => runs(name, none)), ['bootstrap a']],
  [
    'lets a founder that failed go on',
    [
      runs('a', none),
      runs('b', { membership: 'pending', act: { kind: 'bootstrap', state: 'failed' } }),
      runs('w', none),
      runs('x', none),
    ],
    ['bootstrap b'],
  ],
  [
    'waits for an act that runs',
    [
      runs('a', { membership: 'pending', act: { kind: 'bootstrap', state: 'running' } }),
      ...['b', 'w', 'x'].map((name) => runs(name, none)),
    ],
    ['await-act a'],
  ],
  [
    'joins the next control plane before any worker',
    [runs('a', member), runs('b', none), runs('w', none), runs('x', none)],
    ['join b'],
  ],
  [
    'joins workers together',
    [runs('a', member), runs('b', member), runs('w', none), runs('x', none)],
    ['join w', 'join x'],
  ],
  ['is done when all are members', three.map(({ name }) => runs(name, member)), []],
  [
    'touches nothing when the control planes are gone',
    [runs('a', none), runs('b', none), runs('w', member), runs('x', none)],
    ['stuck w'],
  ],
  [
    'touches no node it does not understand',
    [runs('a', { membership: 'unknown' }), runs('b', none), runs('w', none), runs('x', none)],
    ['stuck a'],
  ],
] as const satisfies readonly (readonly [string, readonly ObservedMember[], readonly string[]])[]) {
  test(`planCluster ${title}`, () => {
    assert.deepEqual(
      planCluster(three, observed).map(({ kind, name }) => `${kind} ${name}`),
      steps,
    );
  });
}

/** A cluster of machines as they are: what steps do to them, and what goes wrong on the way. */
class World {
  readonly nodes = new Map<string, { machine: ObservedMember['machine']; node: Node | undefined }>();
  bootstraps = 0;

  constructor(members: readonly Pick<ClusterMember, 'name'>[]) {
    for (const { name } of members) this.nodes.set(name, { machine: 'absent', node: undefined });
  }

  observe(): ObservedMember[] {
    return [...this.nodes].map(([name, { machine, node }]) => ({ name, machine, ...(node && { node }) }));
  }

  get memberCount(): number {
    return [...this.nodes.values()].filter(({ node }) => node?.membership === 'member').length;
  }

  act(step: ReturnType<typeof planCluster>[number], succeeds: boolean): void {
    const seen = this.nodes.get(step.name);
    assert.ok(seen);
    switch (step.kind) {
      case 'start':
      case 'resume':
        if (succeeds) seen.machine = 'running';
        return;
      case 'reach':
        if (succeeds) seen.node = { membership: 'none' };
        return;
      case 'await-act':
        assert.equal(seen.node?.act?.state, 'running');
        seen.node = succeeds
          ? { membership: 'member', act: { kind: step.act, state: 'done' } }
          : { membership: 'pending', act: { kind: step.act, state: 'failed' } };
        return;
      case 'bootstrap':
        assert.equal(this.memberCount, 0, 'bootstrap beside a cluster');
        seen.node = { membership: 'pending', act: { kind: 'bootstrap', state: 'running' } };
        this.bootstraps++;
        return;
      case 'join':
        assert.equal(this.nodes.get(step.inviter)?.node?.membership, 'member', 'invited by a stranger');
        seen.node = { membership: 'pending', act: { kind: 'join', state: 'running' } };
        return;
      case 'stuck':
        assert.fail(`stuck: ${step.reason}`);
    }
  }
}

test('planCluster leads every cluster to its end, whatever fails on the way, and never joins two control planes at once', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 0, max: 5 }),
      fc.infiniteStream(fc.boolean()),
      (controlPlanes, workers, luck) => {
        const members = [
          ...Array.from({ length: controlPlanes }, (_, n) => cp(`cp-${n}`)),
          ...Array.from({ length: workers }, (_, n) => worker(`w-${n}`)),
        ];
        const roles = new Map(members.map(({ name, role }) => [name, role]));
        const world = new World(members);
        let failures = 0;
        for (let round = 0; round < 400; round++) {
          const steps = planCluster(members, world.observe());
          if (steps.length === 0) {
            assert.equal(world.memberCount, members.length);
            return;
          }
          const acts = steps.filter(({ kind }) => kind === 'join' || kind === 'bootstrap');
          if (acts.some(({ name }) => roles.get(name) === 'control-plane')) assert.equal(acts.length, 1);
          for (const step of steps) {
            const succeeds = failures > 50 || (luck.next().value ?? true);
            if (!succeeds) failures++;
            world.act(step, succeeds);
          }
        }
        assert.fail('no end');
      },
    ),
  );
});
