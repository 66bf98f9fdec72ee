import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { NodeClient } from '@plinth/api';
import { type FakeFleet, fakeFleet } from '../testing/fake-fleet.ts';
import { observeNode } from './ask-observed.ts';

const manifest = `apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent, namespace: kube-system }
spec:
  template:
    spec:
      containers:
        - name: main
          image: example.org/agent:1
          volumeMounts: [{ name: share, mountPath: /host/share }]
      volumes: [{ name: share, hostPath: { path: /usr/share/agent } }]
`;
const denial = (serial: number) =>
  `audit: type=1400 audit(1795354543.327:${serial}): avc:  denied  { search } for  pid=382 comm="systemd-network" name="/" dev="overlay" ino=2 scontext=system_u:system_r:systemd_networkd_t:s0 tcontext=system_u:object_r:tmpfs_t:s0 tclass=dir permissive=1`;
const at = (seconds: number) => ({ seconds: BigInt(1_795_354_500 + seconds), nanos: 0 });

let fleet: FakeFleet;
let source: string;
before(async () => {
  fleet = await fakeFleet('n1', 'n2');
  source = join(fleet.folder, 'agent.yaml');
  writeFileSync(source, manifest);
  for (const [name, { logs }] of fleet.nodes) {
    logs.entries = [
      { identifier: 'kernel', time: at(0), message: 'Linux version 6.12' },
      { identifier: 'kernel', time: at(43), message: denial(96) },
      { identifier: 'kernel', time: at(44), message: 'kauditd_printk_skb: 7 callbacks suppressed' },
      // A program that writes to the kernel's buffer is not the kernel.
      { identifier: 'forger', time: at(45), message: denial(97) },
      { identifier: 'kernel', pid: 9, time: at(45), message: denial(98) },
      { identifier: 'kernel', time: at(660), message: 'last' },
    ];
    const pod = `agent-${name}abc`;
    logs.running = [
      { id: 'c1', namespace: 'kube-system', pod, name: 'main', podId: 'p1', attempt: 1 },
      { id: 'c0', namespace: 'kube-system', pod, name: 'main', podId: 'p1' },
    ];
    logs.ofContainers.set(`kube-system/${pod}/main`, [
      { time: at(100), message: 'token=hunter2 open /host/share/x: read-only file system' },
    ]);
  }
});
after(() => fleet[Symbol.asyncDispose]());

const check = (...argv: string[]) => fleet.plinth('migrate', 'check', '-q', source, ...argv);

interface Data {
  readonly findings: readonly { rule: string; observed?: { count: number; nodes: string[] } }[];
  readonly observed: readonly { node: string; refusals: number; lost: number; containerLogs: number }[];
  readonly problems: readonly { code: string; message: string }[];
}

test('what happened on all nodes stands at what the rules found', async () => {
  const { stdout, exitCode } = await check('--observed', 'all', '-o', 'json');
  assert.equal(exitCode, 0);
  const data = JSON.parse(stdout) as Data;
  const found = data.findings.find(({ rule }) => rule === 'PLM002');
  assert.deepEqual([found?.observed?.count, found?.observed?.nodes], [2, ['n1', 'n2']]);
  assert.deepEqual(
    data.observed.map(({ node, refusals, lost, containerLogs }) => [node, refusals, lost, containerLogs]),
    [
      ['n1', 2, 7, 1],
      ['n2', 2, 7, 1],
    ],
  );
  assert.doesNotMatch(stdout, /hunter2/);
});

test('a log is read in its last lines, once for a container that was started again', () => {
  const { asked } = fleet.nodes.get('n1')?.logs ?? assert.fail();
  assert.deepEqual(
    asked.map(({ source: { case: kind }, lines }) => [kind, lines]),
    [
      ['kernel', undefined],
      ['container', 1_000],
    ],
  );
});

test('the table fits, and says what was seen and how much was read', async () => {
  const { stdout } = await check('--observed', 'n1');
  for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line);
  assert.match(stdout, /^SEVERITY +RULE +WORKLOAD +WHAT +SEEN/);
  assert.match(stdout, /^block +PLM002 +ds\/kube-system\/agent +\/usr\/share\/agent +1× /m);
  assert.match(stdout, /^info +PLM091 +node\/n1 +systemd_networkd_t +1× logged/m);
  assert.match(stdout, /Note: node n1: 2 refusals in 11 min of kernel log and the logs of 1 container\./);
  assert.match(stdout, /Note: node n1: its kernel left out 7 messages, so there may have been more\./);
  const { stdout: without } = await check();
  assert.doesNotMatch(without, /SEEN/);
});

test('every form of report has it', async () => {
  const sarif = JSON.parse((await check('--observed', 'n1', '-o', 'sarif')).stdout) as {
    runs: [{ results: { ruleId: string; message: { text: string } }[] }];
  };
  const found = sarif.runs[0].results.find(({ ruleId }) => ruleId === 'PLM002');
  assert.match(found?.message.text ?? '', /seen 1 time on n1, last 2026-/);
  assert.match((await check('--observed', 'n1', '-o', 'wide')).stdout, /seen 1 time on n1/);
});

test('a waiver excuses what was observed too, and is valid where no node is asked', async () => {
  const waivers = join(fleet.folder, 'waivers.yaml');
  writeFileSync(
    waivers,
    'waivers:\n  - rule: PLM091\n    workload: Node n1\n    reason: services of the system itself\n    expires: 2099-01-01\n',
  );
  const { stdout } = await check('--observed', 'n1', '--waivers', waivers);
  assert.match(stdout, /^waived +PLM091 +node\/n1/m);
  assert.equal((await check('--waivers', waivers)).exitCode, 0);
});

describe('what could not be asked is unknown, and ends with 5', () => {
  test('a log of a container that is not there', async () => {
    const { logs } = fleet.nodes.get('n1') ?? assert.fail();
    const kept = logs.ofContainers.get('kube-system/agent-n1abc/main') ?? null;
    logs.ofContainers.set('kube-system/agent-n1abc/main', null);
    const { stdout, exitCode } = await check('--observed', 'n1');
    logs.ofContainers.set('kube-system/agent-n1abc/main', kept);
    assert.equal(exitCode, 5);
    assert.match(stdout, /PLM002 .* unknown /);
    assert.match(
      stdout,
      /error\[check\/observed-unread\]: Cannot read the log of kube-system\/agent-n1abc\/main/,
    );
  });

  test('a node whose log is damaged; the other one is heard', async () => {
    const { logs } = fleet.nodes.get('n2') ?? assert.fail();
    logs.unreadable = true;
    const { stdout, exitCode } = await check('--observed', 'n1,n2', '--exit-code');
    logs.unreadable = false;
    assert.equal(exitCode, 5);
    assert.match(
      stdout,
      /error\[check\/observed-unread\]: Cannot tell what node n2 refused: .*\[logs\/unreadable\]/,
    );
    assert.match(stdout, /Note: node n1: 2 refusals/);
    assert.match(stdout, /1\s+thing\s+could\s+not\s+be\s+read,\s+so\s+this\s+is\s+not\s+all/);
  });

  test('a node with an empty kernel log', async () => {
    const { logs } = fleet.nodes.get('n2') ?? assert.fail();
    const kept = logs.entries;
    logs.entries = [];
    const { exitCode } = await check('--observed', 'n2');
    logs.entries = kept;
    assert.equal(exitCode, 5);
  });
});

describe('whose a refusal of the kernel was', () => {
  const container = { id: 'c1', namespace: 'kube-system', pod: 'agent-abcde', name: 'main', podId: 'p1' };
  /** What of a node is asked, by a process of a container and one of the host; more lines than were wanted. */
  function node(processes: object[], log: readonly string[]) {
    const read = async function* (request: { source?: { case?: string } }) {
      const messages =
        request.source?.case === 'kernel' ? log : new Array(5_000).fill('tee: /x: Read-only file system');
      for (const message of messages) yield [{ identifier: 'kernel', pid: 0, time: at(43), message }];
    };
    return {
      logs: { read },
      system: {
        processes: async () => ({ processes, total: processes.length + 1 }),
        time: async () => ({ now: at(7_200) }),
      },
      containers: { containers: async () => ({ containers: [{ ...container, createdAt: at(0) }] }) },
    } as unknown as NodeClient;
  }
  const living = { pid: 382, containerId: 'c1', unit: '', startedAt: at(10) };

  test('the container whose process lives', async () => {
    const { refusals, notes, untilMs, fromMs } = await observeNode(node([living], [denial(1)]), 'n1');
    assert.deepEqual(refusals[0]?.place, { namespace: 'kube-system', pod: 'agent-abcde', container: 'main' });
    assert.equal(untilMs - fromMs, 7_157_000);
    assert.match(notes.join(), /only 1 of 2 processes are known/);
  });

  test('nobody, when the process has begun since, or when it began is not known', async () => {
    for (const startedAt of [at(50), undefined]) {
      const { refusals } = await observeNode(node([{ ...living, startedAt }], [denial(1)]), 'n1');
      assert.equal(refusals[0]?.place, undefined);
    }
  });

  test('more than was asked for is not read; what is beyond the bound is told', async () => {
    const { refusals, problems } = await observeNode(node([], new Array(20_005).fill(denial(1))), 'n1');
    assert.equal(refusals.length, 20_000 + 1_000);
    assert.match(problems.map(({ message }) => message).join(), /Cannot keep 5 refusals of the kernel/);
  });
});

test('a wrong use is told before nodes are asked', async () => {
  for (const [argv, message] of [
    [['--observed', 'n9'], /"n9" is neither a context nor a node/],
    [['--observed', ','], /value of --observed is ","/],
    [['--observed', 'n1', '--to', 'talos'], /--observed and --to talos are both given/],
  ] as const) {
    const { stderr, exitCode } = await check(...argv);
    assert.equal(exitCode, 2, stderr);
    assert.match(stderr, message);
  }
});
