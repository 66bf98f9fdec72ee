import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { Finding, Verdict } from '../checks/check.ts';
import { soundCluster } from '../testing/fake-cluster.ts';
import { judgeErrors, judgeSpace, judgeStalls } from './disk.ts';
import {
  judgeAlarms,
  judgeLeader,
  judgeMembers,
  judgeOwnMember,
  judgeQuorum,
  judgeSize,
  judgeVersions,
} from './etcd.ts';
import { judgeCgroup, judgeModules, judgeSettings } from './kernel.ts';
import { judgeHealthz, judgePressure, judgeReady, judgeStaticPods } from './kubelet.ts';
import type { EtcdFacts, EtcdMemberFacts, NodeObject } from './kubernetes-observer.ts';
import { judgeMemory, judgeSwap, judgeTasks } from './memory.ts';
import {
  judgeApiServer,
  judgeClusterDns,
  judgeNodeAddress,
  judgePodNetwork,
  judgeServers,
  parseNameServers,
} from './network.ts';
import { judgePorts } from './ports.ts';
import { judgeClock, judgeSkew, judgeSynchronised } from './time.ts';
import { judgeConnection, judgeFailedUnits, judgeOneshot, judgeUnit } from './units.ts';
import { judgeKubelet, judgeLayer, judgeSkewOfVersions } from './versions.ts';

type Case = readonly [what: string, finding: Finding, verdict: Verdict, observed?: RegExp];

function table(title: string, cases: readonly Case[]): void {
  suite(title, () => {
    for (const [what, finding, verdict, observed] of cases) {
      test(what, () => {
        assert.equal(finding.verdict, verdict, finding.observed);
        if (observed) assert.match(finding.observed, observed);
      });
    }
  });
}

const BUILT = Date.UTC(2026, 10, 1);
const peer = (skewMs: number) => ({ server: '10.0.0.2:6443', skewMs });
table('time', [
  ['a sane clock', judgeClock(BUILT + 1, BUILT), 'pass'],
  ['a year before the image', judgeClock(Date.UTC(2025, 10, 1), BUILT), 'fail', /before the image/],
  ['a clock of 2099', judgeClock(Date.UTC(2099, 0, 1), BUILT), 'fail', /2099/],
  ['clocks that agree', judgeSkew([peer(-4_999), peer(4_999)]), 'pass'],
  ['a clock that is ahead', judgeSkew([peer(0), peer(5_000)]), 'fail', /10\.0\.0\.2:6443 5\.0 s/],
  ['a clock that is behind', judgeSkew([peer(-90_000)]), 'fail', /-90\.0 s/],
  ['a clock nobody tells', judgeSkew([peer(Number.NaN)]), 'unknown'],
  ['synchronised', judgeSynchronised(true, [peer(90_000)]), 'pass'],
  ['not synchronised, but in agreement', judgeSynchronised(false, [peer(100)]), 'pass', /agree/],
  ['not synchronised and apart', judgeSynchronised(false, [peer(9_000)]), 'fail', /differ/],
  ['not synchronised and alone', judgeSynchronised(false, []), 'pass', /no other control plane/],
]);

const usage = { sizeBytes: 100, availableBytes: 50, inodes: 100, availableInodes: 50 };
table('disk', [
  ['no errors', judgeErrors('0', undefined), 'pass'],
  ['errors', judgeErrors('7', 'ext4_find_entry'), 'fail', /7, the last one in ext4_find_entry/],
  ['no count', judgeErrors(undefined, undefined), 'unknown'],
  ['room', judgeSpace(usage), 'pass'],
  ['bytes at the limit', judgeSpace({ ...usage, availableBytes: 5 }), 'pass'],
  ['too few bytes', judgeSpace({ ...usage, availableBytes: 4.99 }), 'fail', /4 % of bytes/],
  ['no inode', judgeSpace({ ...usage, availableInodes: 0 }), 'fail'],
  ['inodes on demand', judgeSpace({ ...usage, inodes: 0, availableInodes: 0 }), 'pass'],
  ['no size', judgeSpace({ ...usage, sizeBytes: 0 }), 'unknown'],
  ['few stalls', judgeStalls('full avg10=99.00 avg60=90.00 avg300=49.90 total=1'), 'pass'],
  ['stalls', judgeStalls('some avg300=1.0\nfull avg10=0.00 avg60=0.00 avg300=50.00 total=1'), 'fail'],
  ['no pressure file', judgeStalls(''), 'unknown'],
]);

const meminfo = (available: number) => `MemTotal: 100 kB\nMemAvailable: ${available} kB`;
table('memory', [
  ['enough', judgeMemory(meminfo(5), ''), 'pass'],
  ['too little', judgeMemory(meminfo(4), ''), 'fail'],
  ['stalls', judgeMemory(meminfo(50), 'full avg10=0.00 avg60=10.00 avg300=0.00 total=0'), 'fail'],
  ['no total', judgeMemory('', ''), 'unknown'],
  ['no swap', judgeSwap('Filename\tType\tSize\tUsed\tPriority'), 'pass'],
  ['swap', judgeSwap('Filename Type\n/dev/zram0 partition 1 0 5'), 'fail', /^\/dev\/zram0$/],
  ['no swaps file', judgeSwap(''), 'unknown'],
  ['few tasks', judgeTasks('0.1 0.1 0.1 1/79 5', '100', '200'), 'pass'],
  ['too many tasks', judgeTasks('0.1 0.1 0.1 1/80 5', '200', '100'), 'fail', /80 of 100/],
  ['no limit', judgeTasks('0.1 0.1 0.1 1/80 5', '', '100'), 'unknown'],
]);

table('units', [
  ['none failed', judgeFailedUnits('\n'), 'pass'],
  [
    'failed',
    judgeFailedUnits('a.service loaded failed failed A\nb.mount loaded failed failed B\n'),
    'fail',
    /^a\.service, b\.mount$/,
  ],
  ['active', judgeUnit('LoadState=loaded\nActiveState=active\nSubState=exited'), 'pass'],
  [
    'starting again and again',
    judgeUnit('LoadState=loaded\nActiveState=activating\nSubState=auto-restart'),
    'fail',
    /auto-restart/,
  ],
  ['absent', judgeUnit('LoadState=not-found\nActiveState=inactive'), 'fail', /does not exist/],
  ['silent', judgeUnit(''), 'unknown'],
  ['done', judgeOneshot('ActiveState=inactive\nResult=success\nInvocationID=a'), 'pass'],
  ['done and staying', judgeOneshot('ActiveState=active\nResult=success\nInvocationID=a'), 'pass'],
  ['at work', judgeOneshot('ActiveState=activating\nResult=success\nInvocationID=a'), 'unknown'],
  ['never run', judgeOneshot('ActiveState=inactive\nResult=success\nInvocationID='), 'fail', /not run/],
  ['ended badly', judgeOneshot('ActiveState=failed\nResult=exit-code\nInvocationID=a'), 'fail', /exit-code/],
  ['not there', judgeOneshot('LoadState=not-found\nActiveState=inactive'), 'fail', /does not exist/],
  ['nothing told', judgeOneshot(''), 'unknown'],
  ['a socket', judgeConnection(''), 'pass'],
  ['no socket', judgeConnection('ECONNREFUSED'), 'fail', /ECONNREFUSED/],
]);

const settings = {
  ...{ 'net/ipv4/ip_forward': '1', 'net/bridge/bridge-nf-call-iptables': '1', 'vm/overcommit_memory': '1' },
  ...{ 'vm/panic_on_oom': '0', 'kernel/panic': '10', 'kernel/panic_on_oops': '1' },
  ...{ 'kernel/keys/root_maxkeys': '1000000', 'kernel/keys/root_maxbytes': '25000000' },
};
const modules = ['overlay', 'bridge', 'br_netfilter', 'vxlan', 'nf_tables', 'nf_conntrack', 'virtio_net'];
table('kernel', [
  ['version 2', judgeCgroup('cgroup2', 'cpuset cpu io memory hugetlb pids'), 'pass'],
  ['version 1', judgeCgroup('tmpfs', ''), 'fail', /tmpfs/],
  ['a controller is off', judgeCgroup('cgroup2', 'cpuset cpu io pids'), 'fail', /without memory/],
  ['not mounted', judgeCgroup(undefined, ''), 'unknown'],
  ['settings', judgeSettings(settings), 'pass'],
  [
    'a changed setting',
    judgeSettings({ ...settings, 'net/ipv4/ip_forward': '0' }),
    'fail',
    /net\.ipv4\.ip_forward is 0, expected 1/,
  ],
  [
    'a setting without its module',
    judgeSettings({ ...settings, 'net/bridge/bridge-nf-call-iptables': undefined }),
    'fail',
    /absent/,
  ],
  ['modules', judgeModules(modules), 'pass'],
  ['a missing module', judgeModules(modules.slice(1)), 'fail', /missing: overlay/],
]);

const eth = { name: 'eth0', mtu: 1500, state: 'up', device: true };
const tunnel = { name: 'flannel.1', mtu: 1450, state: 'unknown', device: false };
const bridge = { name: 'cni0', mtu: 1450, state: 'up', device: false };
const answer = (answered: boolean, addresses: readonly string[] = [], code = '', known = answered) => ({
  ...{ answered, addresses, code, known },
});
table('network', [
  ['its address', judgeNodeAddress('10.0.0.1', ['10.0.0.1', '10.1.0.1']), 'pass'],
  [
    'another address',
    judgeNodeAddress('10.0.0.1', ['10.0.0.9']),
    'fail',
    /10\.0\.0\.9, expected 10\.0\.0\.1/,
  ],
  ['a ready server', judgeApiServer({ version: 'v1.37.1', ready: true }), 'pass'],
  ['a server that starts', judgeApiServer({ version: 'v1.37.1', ready: false }), 'fail', /not ready/],
  ['an answer without address', judgeServers([['10.0.2.3', answer(true, [], 'ENOTFOUND')]]), 'pass'],
  [
    'silence',
    judgeServers([
      ['10.0.2.3', answer(true)],
      ['10.0.2.4', answer(false, [], 'ETIMEOUT')],
    ]),
    'fail',
    /^10\.0\.2\.4 ETIMEOUT$/,
  ],
  ['no server', judgeServers([]), 'pass', /no server/],
  [
    'no outside',
    judgeServers([['10.0.2.3', answer(false, [], 'ETIMEOUT')]]),
    'pass',
    /^10\.0\.2\.3 never answered/,
  ],
  [
    'a server that answered before',
    judgeServers([
      ['10.0.2.3', answer(false, [], 'ETIMEOUT', true)],
      ['10.0.2.4', answer(false, [], 'ETIMEOUT')],
    ]),
    'fail',
    /^10\.0\.2\.3 ETIMEOUT, 10\.0\.2\.4 ETIMEOUT$/,
  ],
  ['the API server has a name', judgeClusterDns(answer(true, ['10.96.0.1'])), 'pass'],
  ['the API server has no name', judgeClusterDns(answer(true, [], 'ENOTFOUND')), 'fail'],
  ['cluster DNS is silent', judgeClusterDns(answer(false, [], 'ETIMEOUT')), 'fail', /ETIMEOUT/],
  ['the pod network', judgePodNetwork([eth, tunnel, bridge]), 'pass'],
  ['no pod yet', judgePodNetwork([eth, tunnel]), 'pass'],
  ['no tunnel', judgePodNetwork([eth, bridge]), 'fail', /no flannel\.1/],
  ['a tunnel that is down', judgePodNetwork([eth, { ...tunnel, state: 'down' }]), 'fail', /down/],
  ['a tunnel without room', judgePodNetwork([{ ...eth, mtu: 1460 }, tunnel]), 'fail', /room for 1410/],
  ['a bridge too large', judgePodNetwork([eth, tunnel, { ...bridge, mtu: 1500 }]), 'fail', /cni0 takes 1500/],
  ['no link', judgePodNetwork([tunnel]), 'unknown'],
  [
    'ports',
    judgePorts([
      ['etcd', ''],
      ['kubelet', ''],
    ]),
    'pass',
  ],
  [
    'a closed port',
    judgePorts([
      ['etcd', 'ECONNREFUSED'],
      ['kubelet', ''],
    ]),
    'fail',
    /^etcd: ECONNREFUSED$/,
  ],
]);

test('parseNameServers takes three servers of a resolv.conf, and nothing else', () => {
  const text =
    '# nameserver 9.9.9.9\nsearch a\nnameserver 10.0.2.3\nnameserver fec0::3\nnameserver  1.1.1.1\nnameserver 2.2.2.2\n';
  assert.deepEqual(parseNameServers(text), ['10.0.2.3', 'fec0::3', '1.1.1.1']);
});

const { kubernetes } = soundCluster();
const sound = await kubernetes.etcd();
const etcd = (change: (member: EtcdMemberFacts, index: number) => Partial<EtcdMemberFacts>): EtcdFacts => ({
  ...sound,
  members: sound.members.map((member, index) => ({ ...member, ...change(member, index) })),
});
const down = (...indexes: number[]) =>
  etcd((_, index) =>
    indexes.includes(index) ? { healthy: false, problem: 'no answer', leader: false, version: '' } : {},
  );
table('etcd', [
  ['its member', judgeOwnMember(sound), 'pass'],
  ['its member is ill', judgeOwnMember(down(0)), 'fail', /no answer/],
  ['no member', judgeOwnMember(etcd(() => ({ own: false }))), 'fail'],
  ['quorum', judgeQuorum(down(2)), 'pass', /2 of 3 healthy, 2 needed/],
  ['no quorum', judgeQuorum(down(1, 2)), 'fail'],
  [
    'learners do not count',
    judgeQuorum(etcd((_, index) => (index > 0 ? { learner: true, healthy: false } : {}))),
    'pass',
    /1 of 1/,
  ],
  ['nobody', judgeQuorum({ ...sound, members: [] }), 'unknown'],
  ['a leader', judgeLeader(sound), 'pass', /node-1/],
  ['no leader', judgeLeader(etcd(() => ({ leader: false }))), 'fail', /none/],
  ['two leaders', judgeLeader(etcd(() => ({ leader: true }))), 'fail'],
  ['all members', judgeMembers(sound), 'pass'],
  ['one is down', judgeMembers(down(2)), 'fail', /node-3: no answer/],
  [
    'one learns',
    judgeMembers(etcd((_, index) => ({ learner: index === 1 }))),
    'fail',
    /node-2: does not vote/,
  ],
  ['no alarm', judgeAlarms(sound), 'pass'],
  ['NOSPACE', judgeAlarms({ ...sound, alarms: ['NOSPACE', 'NOSPACE'] }), 'fail', /^NOSPACE$/],
  ['a small database', judgeSize(sound), 'pass'],
  ['a large one', judgeSize(etcd(() => ({ dbSizeBytes: 1.8 * 1024 ** 3 }))), 'fail', /in use/],
  ['no size', judgeSize(etcd(() => ({ dbSizeBytes: undefined }))), 'unknown'],
  ['one version', judgeVersions(sound), 'pass'],
  ['an upgrade', judgeVersions(etcd((_, index) => ({ version: index ? '3.6.8' : '3.5.30' }))), 'pass'],
  ['too far apart', judgeVersions(etcd((_, index) => ({ version: index ? '3.6.8' : '3.4.1' }))), 'fail'],
  ['no version', judgeVersions(etcd(() => ({ version: '' }))), 'unknown'],
]);

const node = (type: string, status: string, reason = '', message = ''): NodeObject => ({
  kubeletVersion: 'v1.37.1',
  conditions: [{ type, status, reason, message }],
});
const pods = await kubernetes.staticPods();
table('kubelet', [
  ['ok', judgeHealthz({ status: 200, body: 'ok' }), 'pass'],
  ['not ok', judgeHealthz({ status: 500, body: '[-]syncloop failed' }), 'fail', /syncloop/],
  ['ready', judgeReady(node('Ready', 'True', 'KubeletReady')), 'pass'],
  ['no condition', judgeReady({ kubeletVersion: '', conditions: [] }), 'unknown'],
  ['no pressure', judgePressure(node('DiskPressure', 'False')), 'pass'],
  [
    'disk pressure',
    judgePressure(node('DiskPressure', 'True', 'KubeletHasDiskPressure')),
    'fail',
    /DiskPressure/,
  ],
  ['pressure nobody knows', judgePressure(node('DiskPressure', 'Unknown')), 'unknown'],
  ['static pods', judgeStaticPods(pods), 'pass'],
  ['a missing part', judgeStaticPods(pods.slice(1)), 'fail', /etcd is not there/],
  [
    'a part that fails',
    judgeStaticPods([
      ...pods.slice(1),
      { name: 'etcd', ready: false, restarts: 4, reason: 'CrashLoopBackOff' },
    ]),
    'fail',
    /etcd: CrashLoopBackOff, 4 restarts/,
  ],
]);

table('versions', [
  ['the same', judgeSkewOfVersions('v1.37.1', 'v1.37.0'), 'pass'],
  ['three behind', judgeSkewOfVersions('v1.34.0', 'v1.37.1'), 'pass'],
  ['four behind', judgeSkewOfVersions('v1.33.0', 'v1.37.1'), 'fail'],
  ['ahead', judgeSkewOfVersions('v1.37.1', 'v1.36.4'), 'fail'],
  ['no version', judgeSkewOfVersions('', 'v1.36.4'), 'unknown'],
  ['the layer', judgeLayer('{"kubernetes":"1.37.1"}', '1.37.1'), 'pass'],
  ['another layer', judgeLayer('{"kubernetes": "1.36.4"}', '1.37.1'), 'fail', /1\.36\.4, expected 1\.37\.1/],
  ['no layer', judgeLayer(undefined, '1.37.1'), 'fail', /no layer/],
  ['a strange layer', judgeLayer('{}', '1.37.1'), 'unknown'],
  ['the kubelet of the layer', judgeKubelet('v1.37.1', '1.37.1'), 'pass'],
  ['an old kubelet', judgeKubelet('v1.36.4', '1.37.1'), 'fail'],
]);

/** Messages as Kubernetes 1.36 and 1.37 write them. */
const notReady: readonly (readonly [reason: string, message: string, cause: RegExp])[] = [
  [
    'KubeletNotReady',
    'container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized',
    /pod network/,
  ],
  [
    'KubeletNotReady',
    'PLEG is not healthy: pleg was last seen active 3m5s ago; threshold is 3m0s',
    /takes minutes/,
  ],
  [
    'KubeletNotReady',
    '[container runtime is down, PLEG is not healthy: pleg has yet to be successful]',
    /takes minutes|does not answer/,
  ],
  ['KubeletNotReady', 'container runtime status check may not have completed yet', /does not answer/],
  ['NodeStatusUnknown', 'Kubelet stopped posting node status.', /not reported/],
  ['KubeletNotReady', 'node is shutting down', /power off/],
  ['KubeletNotReady', 'CSINode is not yet initialized', /just started/],
];
for (const [reason, message, cause] of notReady) {
  test(`a node that is not ready: ${message.slice(0, 60)}`, () => {
    const finding = judgeReady(node('Ready', 'False', reason, message));
    assert.equal(finding.verdict, 'fail');
    assert.match(finding.cause ?? '', cause);
    assert.match(finding.fix ?? '', /\.$/);
  });
}

test('a reason nobody knows leaves cause and fix to the rule', () => {
  const finding = judgeReady(node('Ready', 'False', 'SomethingNew', 'of a later version'));
  assert.deepEqual([finding.cause, finding.fix], [undefined, undefined]);
  assert.match(finding.observed, /SomethingNew/);
});

test('judges take any text of the kernel and of the cluster', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      for (const finding of [
        judgeMemory(a, b),
        judgeSwap(a),
        judgeTasks(a, b, a),
        judgeStalls(a),
        judgeErrors(a, b),
        judgeUnit(a),
        judgeLayer(a, b),
        judgeSkewOfVersions(a, b),
        judgeReady(node('Ready', a, b, a)),
      ])
        assert.match(finding.verdict, /^(pass|fail|unknown)$/);
    }),
  );
});

test('etcd has a quorum exactly when more than half of the voters are healthy', () => {
  const member = sound.members[0];
  assert.ok(member);
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }), (healths) => {
      const members = healths.map((healthy) => ({ ...member, healthy }));
      const expected = healths.filter(Boolean).length * 2 > healths.length;
      assert.equal(judgeQuorum({ ...sound, members }).verdict === 'pass', expected);
    }),
  );
});
