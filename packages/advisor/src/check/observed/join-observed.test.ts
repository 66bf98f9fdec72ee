import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { loadKnowledge } from '../load-knowledge.ts';
import type { Json } from '../model/json.ts';
import { toKubeObject } from '../model/kube-object.ts';
import type { Read } from '../read/read-sources.ts';
import type { CheckResult, Finding } from '../report/finding.ts';
import { ownerText } from '../report/finding.ts';
import { checkSarif } from '../report/sarif.ts';
import { type CheckKnowledge, runCheck } from '../run-check.ts';
import { leavesTrace } from './foreseen.ts';
import { joinObserved, type NodeObservation } from './join-observed.ts';
import { loadObservedRules } from './observed-rules.ts';
import { type AttributedRefusal, makeRefusal } from './refusal.ts';
import { spanText } from './tally.ts';
import { watchWorkloads } from './workload-map.ts';

const TODAY = '2026-11-22';
const SINCE = Date.UTC(2026, 10, 22, 12);
let known: CheckKnowledge;
let rules: Awaited<ReturnType<typeof loadObservedRules>>;
before(async () => {
  known = await loadKnowledge('plinth', join(import.meta.dirname, '../../../../../os'), TODAY);
  rules = await loadObservedRules();
});

const agent = {
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'agent', namespace: 'kube-system' },
  spec: {
    template: {
      spec: {
        containers: [
          {
            name: 'main',
            image: 'example.org/agent:1',
            command: ['nsenter', '-t', '1', '-m', 'systemctl', 'restart', 'x'],
            securityContext: { capabilities: { add: ['SYS_MODULE'] } },
            volumeMounts: [
              { name: 'etc', mountPath: '/host/etc' },
              { name: 'scratch', mountPath: '/host/etc/scratch' },
            ],
          },
        ],
        volumes: [
          { name: 'etc', hostPath: { path: '/usr/share/agent' } },
          { name: 'scratch', emptyDir: {} },
        ],
      },
    },
  },
};
const place = { namespace: 'kube-system', pod: 'agent-x7k2p', container: 'main' };

function refused(said: Partial<AttributedRefusal>): AttributedRefusal {
  const usual = { kind: 'read-only', timeMs: SINCE + 60_000, enforced: true, action: 'write' } as const;
  return { unit: '', place, ...makeRefusal({ ...usual, ...said }), ...said };
}

function observation(
  refusals: readonly AttributedRefusal[],
  more: Partial<NodeObservation> = {},
): NodeObservation {
  return {
    ...{ node: 'n1', refusals, places: [place], unreadPlaces: [], containerLogs: 1, lost: 0 },
    ...{ fromMs: SINCE, untilMs: SINCE + 7_800_000, notes: [], problems: [], ...more },
  };
}

async function check(
  observations: readonly NodeObservation[],
  documents: readonly Json[] = [agent],
): Promise<CheckResult> {
  const reads = documents.map((value): Read => {
    const object = toKubeObject(value, () => undefined);
    assert.ok(object);
    return { kind: 'object', object };
  });
  const watched = watchWorkloads(reads);
  const result = await runCheck(watched.reads, known, TODAY);
  return joinObserved(result, observations, watched.workloads(), rules);
}

function find({ findings }: CheckResult, rule: string): Finding {
  const found = findings.filter((one) => one.rule === rule);
  assert.equal(found.length, 1, `${rule}: ${findings.map((one) => one.rule)}`);
  return found[0] as Finding;
}

const unforeseen = ({ findings }: CheckResult) => findings.filter(({ rule }) => rules.has(rule));

describe('a refusal that a rule foresaw', () => {
  test('stands at its finding with how often and when, and is no finding of its own', async () => {
    const result = await check([
      observation([
        refused({ path: '/host/etc/a' }),
        refused({ path: '/host/etc/b', timeMs: SINCE + 120_000 }),
      ]),
    ]);
    const found = find(result, 'PLM002');
    assert.match(found.message, /; seen 2 times on n1, last 2026-11-22T12:02:00\.000Z$/);
    assert.deepEqual(found.observed, {
      ...{ ran: true, count: 2, enforced: 2, nodes: ['n1'] },
      ...{ first: '2026-11-22T12:01:00.000Z', last: '2026-11-22T12:02:00.000Z' },
    });
    assert.deepEqual(unforeseen(result), []);
  });

  test('of a program of the host, and of a capability', async () => {
    const result = await check([
      observation([
        refused({ kind: 'program-missing', name: 'systemctl' }),
        refused({ kind: 'selinux', objectClass: 'capability', action: 'sys_module', enforced: false }),
      ]),
    ]);
    assert.equal(find(result, 'PLM020').observed?.count, 1);
    assert.match(find(result, 'PLM014').message, /, let through and only logged$/);
    assert.deepEqual(unforeseen(result), []);
  });
});

describe('a refusal that no rule foresaw', () => {
  for (const [what, said, rule, severity, subject] of [
    [
      'in a volume of the pod below the mount',
      { path: '/host/etc/scratch/a' },
      'PLM094',
      'warn',
      '/host/etc/scratch/a',
    ],
    ["in the container's own tree", { path: '/etc/a' }, 'PLM094', 'warn', '/etc/a'],
    ['without a path', {}, 'PLM094', 'warn', 'path not said'],
    ['of another program', { kind: 'program-missing', name: 'apt-get' }, 'PLM097', 'block', 'apt-get'],
    [
      'by seccomp',
      { kind: 'seccomp', action: 'syscall 165 (x86-64)' },
      'PLM092',
      'block',
      'syscall 165 (x86-64)',
    ],
    [
      'that seccomp only logged',
      { kind: 'seccomp', action: 'syscall 165 (x86-64)', enforced: false },
      'PLM092',
      'info',
      'syscall 165 (x86-64)',
    ],
    ['by IPE', { kind: 'ipe', action: 'execute', path: '/x' }, 'PLM093', 'block', '/x'],
    [
      'by SELinux',
      { kind: 'selinux', action: 'read', objectClass: 'file', path: '/x' },
      'PLM090',
      'warn',
      '/x',
    ],
    [
      'by SELinux, execution',
      { kind: 'selinux', action: 'execute', objectClass: 'file', path: '/x' },
      'PLM090',
      'block',
      '/x',
    ],
    [
      'by a permissive SELinux',
      { kind: 'selinux', action: 'read', objectClass: 'file', path: '/x', enforced: false },
      'PLM091',
      'info',
      '/x',
    ],
  ] as const) {
    test(`${what}: ${rule}, ${severity}`, async () => {
      const result = await check([observation([refused(said)])]);
      const [found, ...more] = unforeseen(result);
      assert.deepEqual(more, []);
      assert.deepEqual([found?.rule, found?.severity, found?.subject], [rule, severity, subject]);
      assert.equal(found && ownerText(found.owner), 'DaemonSet kube-system/agent');
      assert.ok(result.rules[rule]);
    });
  }

  test('a program that tries a new name each time makes some findings, and none is lost', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => refused({ path: `/tmp/${index}` }));
    const found = unforeseen(await check([observation(many)]));
    assert.equal(found.length, 21);
    assert.equal(found.find(({ subject }) => subject === 'others')?.observed?.count, 980);
  });

  test('different things of one service of the host are one finding that counts them', async () => {
    const said = {
      kind: 'selinux',
      objectClass: 'dir',
      place: undefined,
      sourceContext: 'a:b:syslogd_t:s0',
    } as const;
    const result = await check([
      observation(['read', 'search', 'write'].map((action) => refused({ ...said, action, enforced: false }))),
    ]);
    assert.match(find(result, 'PLM091').message, /\{ read \} on dir, and 2 other things; seen 3 times on n1/);
  });

  test('what the kernel did to itself at its start is good to know, and no more', async () => {
    const said = { kind: 'lockdown', action: 'hibernation', place: undefined } as const;
    const itself = await check([observation([refused({ ...said, comm: 'swapper/0' })])]);
    assert.equal(find(itself, 'PLM096').severity, 'info');
    const other = await check([observation([refused({ ...said, comm: 'systemd-sleep' })])]);
    assert.equal(find(other, 'PLM096').severity, 'warn');
  });

  test('whose it is nobody knows: it stands at the node, and a note says so', async () => {
    const lost = refused({
      kind: 'selinux',
      action: 'write',
      objectClass: 'file',
      place: undefined,
      comm: 'sh',
    });
    const result = await check([observation([{ ...lost, sourceContext: 'system_u:system_r:spc_t:s0' }])]);
    const found = find(result, 'PLM090');
    assert.deepEqual([ownerText(found.owner), found.severity, found.subject], ['Node n1', 'warn', 'spc_t']);
    assert.match(found.message, /nobody knows any more whether it was in a container/);
    assert.ok(
      result.notes.includes('node n1: of 1 refusals it is unknown whose they are: no such process lives'),
    );
  });
});

describe('nothing seen', () => {
  test('says in how much log, never that it is fine', async () => {
    const result = await check([observation([])]);
    const found = find(result, 'PLM002');
    assert.match(found.message, /; not seen in the last 2 h 10 min of log$/);
    assert.deepEqual([found.severity, found.observed?.ran, found.observed?.count], ['block', true, 0]);
    assert.ok(result.notes.some((note) => /0 refusals in 2 h 10 min of kernel log/.test(note)));
  });

  test('where it does not run, nothing follows', async () => {
    const found = find(await check([observation([], { places: [] })]), 'PLM002');
    assert.match(found.message, /; it runs on no node that was asked$/);
    assert.equal(found.observed?.ran, false);
  });

  test('where its log could not be read, it is unknown', async () => {
    const found = find(await check([observation([], { unreadPlaces: [place] })]), 'PLM002');
    assert.match(found.message, /; whether it happened is unknown: a log of it could not be read$/);
    assert.equal(found.observed?.unread, true);
  });

  test('nothing is said of what no log tells, and nothing at all when no node answered', async () => {
    for (const { rule, observed } of (await check([observation([])])).findings)
      assert.equal(observed !== undefined, leavesTrace(rule), rule);
    for (const { observed } of (await check([])).findings) assert.equal(observed, undefined);
  });

  test('what the kernel left out is said', async () => {
    const { notes } = await check([observation([], { lost: 43 })]);
    assert.ok(notes.includes('node n1: its kernel left out 43 messages, so there may have been more'));
  });
});

describe('whose pod it is', () => {
  const owner = async (pod: string, documents: readonly Json[], container = 'main') => {
    const result = await check([observation([refused({ place: { ...place, pod, container } })])], documents);
    return unforeseen(result).map((one) => ownerText(one.owner));
  };
  const named = (kind: string, name: string, namespace?: string) => ({
    ...agent,
    kind,
    metadata: { name, ...(namespace && { namespace }) },
  });

  test('by the only workload whose pods have such names', async () => {
    const deployment = named('Deployment', 'web', 'kube-system');
    assert.deepEqual(await owner('web-6d4cf56db6-x7k2p', [deployment]), ['Deployment kube-system/web']);
    assert.deepEqual(await owner('web-0', [named('StatefulSet', 'web')]), ['StatefulSet web']);
  });

  test('not by a name that only begins alike, another container, or one of two', async () => {
    const pod = (name: string) => [`Pod kube-system/${name}`];
    assert.deepEqual(await owner('agent-extra-x7k2p', [agent]), pod('agent-extra-x7k2p'));
    assert.deepEqual(await owner('agent-x7k2p', [agent], 'other'), pod('agent-x7k2p'));
    assert.deepEqual(
      await owner('web-x7k2p', [named('DaemonSet', 'web'), named('ReplicaSet', 'web')]),
      pod('web-x7k2p'),
    );
  });

  test('by the pod itself where the cluster was read', async () => {
    const running = {
      ...{ apiVersion: 'v1', kind: 'Pod', spec: agent.spec.template.spec },
      metadata: {
        ...{ name: 'odd-name', namespace: 'kube-system', labels: { 'pod-template-hash': 'abc' } },
        ownerReferences: [{ controller: true, kind: 'ReplicaSet', name: 'web-abc' }],
      },
    };
    assert.deepEqual(await owner('odd-name', [running]), ['Deployment kube-system/web']);
  });
});

test('SARIF carries rule, text and what was seen; every rule is of its own number', async () => {
  const result = await check([observation([refused({ kind: 'seccomp', action: 'syscall 165 (x86-64)' })])]);
  const all = new Map([...known.rules, ...rules]);
  assert.equal(all.size, known.rules.size + rules.size);
  const log = JSON.parse(checkSarif(result, '0')) as {
    runs: [{ results: { ruleId: string; message: { text: string } }[] }];
  };
  const found = log.runs[0].results.find(({ ruleId }) => ruleId === 'PLM092');
  assert.match(
    found?.message.text ?? '',
    /made syscall 165 \(x86-64\), which its filter refused; seen 1 time/,
  );
});

test('spans of time for people', () => {
  assert.deepEqual([0, 59_000, 61_000, 3_600_000, 7_800_000, 49 * 3_600_000, Number.NaN].map(spanText), [
    '0 s',
    '59 s',
    '1 min',
    '1 h',
    '2 h 10 min',
    '2 days',
    'unknown time',
  ]);
});
