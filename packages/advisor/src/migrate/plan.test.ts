import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { evaluate, questionsOf } from '../advise/condition.ts';
import { factsAt, findSubject } from '../facts/at-date.ts';
import { loadKnowledge } from '../facts/load.ts';
import { platformIds } from '../facts/vocabulary.ts';
import { reportHtml } from '../report/html.ts';
import { reportMarkdown } from '../report/markdown.ts';
import { planReport } from '../report/plan-report.ts';
import { estimate, nodesAtOnce } from './estimate.ts';
import { fillCommand, shellWord } from './fill-command.ts';
import { loadMoves } from './move-schema.ts';
import { type MovePlan, planMove } from './plan.ts';
import type { Pool } from './pool.ts';

const knowledge = await loadKnowledge();
const moves = await loadMoves(knowledge);

/** A pool of AKS for which everything is known and nothing is in the way. */
const good = {
  kubernetes: '1.34',
  cli: '2.90.0',
  architecture: 'amd64',
  generation: '2',
  'trusted-launch-size': 'yes',
  'secure-boot': 'no',
  fips: 'no',
  gpu: 'none',
  'gpu-dedicated-vhd': 'no',
  confidential: 'no',
  sandboxing: 'no',
  'artifact-streaming': 'no',
  'os-type': 'linux',
  channel: 'NodeImage',
  tool: 'other',
  'spare-capacity': 'yes',
  tested: 'yes',
  checked: 'yes',
  'disruption-budgets': 'yes',
};

function poolOf(platform: string, properties: Readonly<Record<string, string>>): Pool {
  return {
    platform,
    system: undefined,
    name: 'np',
    nodes: 12,
    surge: undefined,
    properties,
    names: {
      pool: 'np',
      cluster: 'prod',
      'resource-group': 'rg1',
      'vm-size': 'Standard_D4s_v5',
      mode: 'User',
    },
  };
}

function plan(
  from: string,
  to: string,
  changed: Record<string, string> = {},
  asOf = '2026-11-22',
  platform = 'aks',
): MovePlan {
  const pool = poolOf(platform, { ...good, ...changed });
  return planMove(knowledge, moves, {
    pool,
    from,
    to,
    asOf,
    drainMinutes: undefined,
    checkTargets: ['plinth'],
  });
}

const blocking = (one: MovePlan) => one.checks.filter(({ state }) => state === 'blocks').map(({ id }) => id);

test('any Linux to Azure Container Linux: in place, both boot flags in the same command', () => {
  const found = plan('ubuntu', 'azure-container-linux');
  assert.equal(found.move.inPlace, 'yes');
  assert.equal(found.verdict, 'ready');
  assert.deepEqual(found.steps.find(({ title }) => title === 'Change the OS SKU')?.run, [
    'az aks nodepool update --resource-group rg1 --cluster-name prod --name np --os-sku AzureContainerLinux --enable-secure-boot --enable-vtpm',
  ]);
  assert.deepEqual(found.wayBack.run, [
    'az aks nodepool update --resource-group rg1 --cluster-name prod --name np --os-sku Ubuntu',
  ]);
  assert.deepEqual(found.placeholders, []);
});

test('an image for GPUs is no question of a pool without GPUs', () => {
  const state = (gpu: string) => {
    const { 'gpu-dedicated-vhd': _, ...told } = { ...good, gpu };
    const pool = poolOf('aks', told);
    const asked = { pool, from: 'ubuntu', to: 'azure-linux', asOf: '2026-11-22', checkTargets: [] };
    const { checks } = planMove(knowledge, moves, { ...asked, drainMinutes: undefined });
    return checks.find(({ id }) => id === 'gpu-image')?.state;
  };
  assert.deepEqual([state('none'), state('nvidia')], ['met', 'unknown']);
});

test('between Ubuntu and Azure Linux: in place, without the flags', () => {
  const found = plan('ubuntu', 'azure-linux');
  assert.equal(found.move.inPlace, 'yes');
  assert.match(
    found.steps.find(({ title }) => title === 'Change the OS SKU')?.run[0] ?? '',
    /--os-sku AzureLinux$/,
  );
});

for (const [what, changed, id] of [
  ['Kubernetes is too old', { kubernetes: '1.33' }, 'kubernetes'],
  ['the CLI is too old', { cli: '2.85.0' }, 'cli'],
  ['the size has no Trusted Launch', { 'trusted-launch-size': 'no' }, 'trusted-launch-size'],
  ['the machines are of generation 1', { generation: '1' }, 'generation'],
  ['UseGPUDedicatedVHD is on', { gpu: 'nvidia', 'gpu-dedicated-vhd': 'yes' }, 'gpu-image'],
  ['it is a Windows pool', { 'os-type': 'windows' }, 'linux'],
  ['it is a confidential size', { confidential: 'yes' }, 'confidential'],
  ['Pod Sandboxing is in use', { sandboxing: 'yes' }, 'sandboxing'],
  ['Artifact Streaming is in use', { 'artifact-streaming': 'yes' }, 'artifact-streaming'],
  ['the channel is SecurityPatch', { channel: 'SecurityPatch' }, 'channel'],
  ['a disruption budget leaves no room', { 'disruption-budgets': 'no' }, 'disruption-budgets'],
] as const) {
  test(`Azure Container Linux is blocked when ${what}, and by nothing else`, () => {
    const found = plan('ubuntu', 'azure-container-linux', changed);
    assert.deepEqual(blocking(found), [id]);
    for (const { fix, state } of found.checks) if (state !== 'met') assert.doesNotMatch(fix ?? '', /\{/);
    assert.equal(found.verdict, 'blocked');
  });

  test(`Azure Container Linux is not known to be possible while nobody says whether ${what}`, () => {
    const [property = ''] = Object.keys(changed);
    const rest: Record<string, string> = { ...good };
    delete rest[property];
    const pool = poolOf('aks', rest);
    const found = planMove(knowledge, moves, {
      pool,
      from: 'ubuntu',
      to: 'azure-container-linux',
      asOf: '2026-11-22',
      drainMinutes: undefined,
      checkTargets: ['plinth'],
    });
    assert.equal(found.verdict, 'unknown');
    assert.ok(found.checks.some((one) => one.state === 'unknown' && one.open.includes(property)));
  });
}

test('AMD GPUs on Azure Container Linux: no source says, so it is not known', () => {
  const found = plan('ubuntu', 'azure-container-linux', { gpu: 'amd' });
  assert.equal(found.checks.find(({ id }) => id === 'amd-gpu')?.state, 'unknown');
  assert.equal(found.verdict, 'unknown');
});

test('OS Guard to Azure Container Linux: in place by the general rule only, unverified, and the audit log ends', () => {
  const found = plan('azure-linux-os-guard', 'azure-container-linux');
  assert.equal(found.move.inPlace, 'unverified');
  assert.ok(found.notes.some(({ says }) => says.includes('audit log')));
  assert.match(
    found.wayBack.ends,
    /on 2026-12-10 at the latest, .* \(its images are removed on 2027-03-10: .*\)$/,
  );
});

test('to OS Guard: allowed in 2025, refused today because it retires in 18 days', () => {
  assert.deepEqual(blocking(plan('ubuntu', 'azure-linux-os-guard', { fips: 'yes' }, '2025-11-20')), []);
  assert.deepEqual(blocking(plan('ubuntu', 'azure-linux-os-guard', { fips: 'yes' })), ['target-lasts']);
  assert.deepEqual(blocking(plan('ubuntu', 'azure-linux-os-guard', { fips: 'no' }, '2025-11-20')), [
    'fips-forced',
  ]);
});

test('Flatcar for AKS: new pools in both directions, and withdrawn today', () => {
  const into = plan('ubuntu', 'flatcar', {}, '2025-11-20');
  assert.equal(into.method.id, 'aks-new-pool');
  assert.deepEqual(blocking(into), []);
  assert.deepEqual(blocking(plan('ubuntu', 'flatcar', { fips: 'yes' }, '2025-11-20')), ['fips-kept']);
  assert.ok(blocking(plan('ubuntu', 'flatcar')).includes('target-alive'));
  assert.equal(plan('flatcar', 'azure-container-linux').method.id, 'aks-new-pool');
});

test('back to a pool whose images are gone: the plan says since when, in the past', () => {
  const { ends } = plan('flatcar', 'azure-container-linux').wayBack;
  assert.match(ends, /no new pools of Flatcar Container Linux since it retired on 2026-06-08/);
  assert.match(ends, /its images were removed on 2026-09-08/);
});

test('to Azure Linux with a CLI older than its versioned SKU needs: nothing blocks, the SKU without version is used', () => {
  assert.deepEqual(blocking(plan('ubuntu', 'azure-linux', { cli: '2.70.0' })), []);
});

test('a cluster beside the old one may have another Kubernetes version, nodes of the old one may not', () => {
  const beside = plan('kubeadm', 'plinth', { kubernetes: '1.33' }, '2026-11-22', 'on-premises');
  assert.equal(beside.checks.find(({ id }) => id === 'other-kubernetes')?.state, 'warns');
  assert.deepEqual(blocking(beside), []);
  assert.equal(beside.estimate.machinesOnly, true);
  assert.deepEqual(blocking(plan('ubuntu', 'azure-container-linux', { kubernetes: '1.33' })), ['kubernetes']);
});

test('EKS without an AMI type of the target: the group is made from a launch template', () => {
  const commands = plan('amazon-linux', 'flatcar', {}, '2026-11-22', 'eks').steps.flatMap(({ run }) => run);
  const [create = ''] = commands.filter((command) => command.includes('create-nodegroup'));
  assert.match(create, /--launch-template id=LAUNCH_TEMPLATE/);
  assert.doesNotMatch(create, /--ami-type|--instance-types/);
});

test('GKE: the image types of both sides are known without a description', () => {
  const found = plan('container-optimized-os', 'ubuntu', {}, '2026-11-22', 'gke');
  assert.ok(found.steps.some(({ run }) => run.some((one) => one.endsWith('--image-type UBUNTU_CONTAINERD'))));
  assert.ok(found.wayBack.run[0]?.endsWith('--image-type COS_CONTAINERD'));
});

test('EKS: a new node group, since the AMI type is fixed; GKE: in place', () => {
  assert.equal(plan('amazon-linux', 'bottlerocket', {}, '2026-11-22', 'eks').method.id, 'eks-new-group');
  const gke = plan('ubuntu', 'container-optimized-os', {}, '2026-11-22', 'gke');
  assert.equal(gke.method.id, 'gke-in-place');
  assert.match(gke.steps.flatMap(({ run }) => run).join('\n'), /--image-type COS_CONTAINERD/);
  assert.deepEqual(
    blocking(plan('container-optimized-os', 'ubuntu', { autopilot: 'yes' }, '2026-11-22', 'gke')),
    ['autopilot'],
  );
});

test('to Plinth, from kubeadm, k3s and the pools of clouds: a cluster of its own beside the old one', () => {
  for (const [from, platform] of [
    ['kubeadm', 'on-premises'],
    ['k3s', 'bare-metal'],
    ['ubuntu', 'aks'],
    ['amazon-linux', 'eks'],
    ['container-optimized-os', 'gke'],
  ] as const) {
    const found = plan(from, 'plinth', { kubernetes: '1.36' }, '2026-11-22', platform);
    assert.equal(found.method.id, 'new-plinth-cluster');
    assert.equal(found.crossing, platform !== 'on-premises');
    assert.equal(found.checks.find(({ id }) => id === 'target-released')?.state, 'warns');
  }
});

test('the check of workloads is a step only where it has facts of the target', () => {
  const [known] = plan('kubeadm', 'plinth', {}, '2026-11-22', 'on-premises').steps;
  assert.deepEqual(known?.run, ['plinth migrate check --live --to plinth']);
  const [unknown] = plan('ubuntu', 'azure-linux').steps;
  assert.deepEqual(unknown?.run, []);
  assert.match(unknown?.note ?? '', /not known to "plinth migrate check"/);
});

test('any two systems on any platform have a plan with steps, a way back and an estimate; no placeholder is forgotten', () => {
  for (const from of knowledge.systems) {
    for (const to of knowledge.systems.filter(({ id, kind }) => kind === 'os' && id !== from.id)) {
      for (const platform of platformIds) {
        const found = plan(from.id, to.id, {}, '2026-11-22', platform);
        const commands = [...found.steps.flatMap(({ run }) => run), ...found.wayBack.run];
        assert.ok(found.steps.length >= 3 && found.wayBack.ends !== '' && found.estimate.minutes > 0);
        for (const command of commands) assert.doesNotMatch(command, /\{[a-z-]+\}/, command);
      }
    }
  }
});

test('no prerequisite is empty words: each is met by some pool and target of the data, and not met by another', () => {
  const systems = knowledge.systems.filter(({ kind }) => kind === 'os');
  for (const { id, need, severity } of moves.prerequisites) {
    const questions = questionsOf(need);
    const values = questions.map((question) => {
      const choices = Object.keys(moves.properties.find((one) => one.id === question)?.choices ?? {});
      return choices.length > 0 ? choices : ['1.20', '1.34', '1.38', '2.0.0', '2.99.0'];
    });
    const start: string[][] = [[]];
    const answers = values.reduce(
      (all, some) => all.flatMap((one) => some.map((word) => [...one, word])),
      start,
    );
    const states = new Set<string>();
    for (const system of systems)
      for (const platform of platformIds)
        for (const given of answers) {
          const facts = factsAt(knowledge, system, '2026-11-22', platform);
          const answer = (question: string) => given[questions.indexOf(question)];
          states.add(evaluate(need, { asOf: '2026-11-22', answer, fact: (key) => facts.get(key) }).state);
        }
    assert.ok(states.has('true'), `${id} is never met`);
    assert.ok(states.has('false'), `${id} (${severity}) is always met`);
  }
});

test('a prerequisite is told with the source of what is known of the target', () => {
  const asked = { from: 'ubuntu', asOf: '2026-11-22', drainMinutes: undefined, checkTargets: [] };
  const sourceOf = (to: string, platform: string) =>
    planMove(knowledge, moves, { ...asked, to, pool: poolOf(platform, {}) }).checks.find(
      ({ id }) => id === 'target-released',
    )?.source;
  const status = (to: string) =>
    factsAt(knowledge, findSubject(knowledge.systems, to), asked.asOf, 'eks').get('status')?.source;
  assert.ok(sourceOf('bottlerocket', 'eks'));
  assert.deepEqual(sourceOf('bottlerocket', 'eks'), status('bottlerocket'));
});

test('a plan is told in Markdown and HTML whatever the pool is called', () => {
  const name = '<img src=x>|`a`';
  const pool = { ...poolOf('aks', good), name, names: { pool: name } };
  const found = planMove(knowledge, moves, {
    pool,
    from: 'ubuntu',
    to: 'azure-container-linux',
    asOf: '2026-11-22',
    drainMinutes: 3,
    checkTargets: [],
  });
  const html = reportHtml(planReport(found));
  assert.doesNotMatch(html, /<img/);
  assert.match(html, /&lt;img src=x&gt;/);
  const markdown = reportMarkdown(planReport(found));
  assert.match(markdown, /## Prerequisites\n\n\| State \| Check \|/);
  assert.match(markdown, /3 min to drain it, 0 min soak/);
});

test('a shell takes what comes from outside as the one word it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 20 }), (text) => {
      const open = new Set<string>();
      const command = fillCommand('printf %s {name}', { name: text }, open);
      if (text === '') return;
      const { stdout, status } = spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' });
      assert.equal(status, 0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are left out on purpose
      assert.equal(stdout, text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ''));
    }),
    { numRuns: 60 },
  );
  assert.equal(shellWord("a'; rm -rf ~ #"), `'a'\\''; rm -rf ~ #'`);
});

test('time: more nodes never take less, more at once never takes longer, and the worst is never better', () => {
  const time = { nodeStartSeconds: 180, drainMinutes: 5, source: 'x', says: 'x' };
  const input = fc.record({
    nodes: fc.integer({ min: 1, max: 2000 }),
    surge: fc.integer({ min: 1, max: 100 }),
    soakMinutes: fc.nat(30),
    drainMinutes: fc.nat(60),
  });
  fc.assert(
    fc.property(input, ({ surge, ...rest }) => {
      const of = (nodes: number, atOnce: string) =>
        estimate({ time }, { ...rest, nodes, surge: atOnce, drainTimeoutMinutes: 30 });
      const one = of(rest.nodes, String(surge));
      assert.ok(of(rest.nodes + 1, String(surge)).minutes >= one.minutes);
      assert.ok(of(rest.nodes, String(surge + 1)).minutes <= one.minutes);
      assert.ok((one.worstMinutes ?? 0) >= one.minutes);
    }),
  );
  assert.deepEqual(
    [
      nodesAtOnce('33%', 12),
      nodesAtOnce('33%', 10),
      nodesAtOnce('1%', 3),
      nodesAtOnce('50', 3),
      nodesAtOnce('x', 3),
      nodesAtOnce('0', 3),
    ],
    [4, 4, 1, 3, 1, 1],
  );
});
