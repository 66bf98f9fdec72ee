import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { readDocument } from '@plinth/base';
import fc from 'fast-check';
import { type CisCheck, cisBenchmark } from './benchmark.ts';
import { evaluateCis } from './evaluate.ts';
import { type CisFacts, readFlags, readStaticPod, valuesAt } from './facts.ts';

const nothing: CisFacts = {
  role: 'control-plane',
  parts: new Map(),
  kubelet: undefined,
  kubeletFlags: undefined,
  configs: new Map(),
  files: new Map(),
};
const facts: CisFacts = {
  role: 'control-plane',
  parts: new Map([['api', readFlags(['api', '--modes=Node,RBAC', '--profiling=false', '--age=30', '--on'])]]),
  kubelet: { port: 0, auth: { anonymous: { enabled: false } }, ciphers: ['A', 'B'] },
  kubeletFlags: readFlags(['--node-ip=10.0.0.1']),
  configs: new Map([
    [
      'keys.yaml',
      { resources: [{ providers: [{ secretbox: { keys: [{ secret: 'of-nobody' }] } }, { identity: {} }] }] },
    ],
  ]),
  files: new Map([
    ['/pki/a.key', { mode: 0o600, owner: 'root:root' }],
    ['/pki/etcd/b.key', { mode: 0o640, owner: 'root:etcd' }],
    ['/pki/a.crt', { mode: 0o644, owner: 'root:root' }],
  ]),
};

function judge(part: Partial<CisCheck>, given: CisFacts = facts, lists = {}): readonly [string, string] {
  const check = { id: '1.1', scope: 'control-plane' as const, title: 'one', ...part };
  const [result] = evaluateCis({ benchmark: 'test', sections: {}, lists, checks: [check] }, given);
  return [result?.verdict ?? '', result?.reason ?? ''];
}

const cases: readonly (readonly [part: Partial<CisCheck>, verdict: string, reason: RegExp])[] = [
  [{ all: [{ flag: 'api/modes', has: 'Node' }] }, 'pass', /api --modes is Node,RBAC/],
  [{ all: [{ flag: 'api/modes', has: 'Webhook' }] }, 'fail', /Node,RBAC/],
  [
    {
      all: [
        { flag: 'api/modes', lacks: 'AlwaysAllow' },
        { flag: 'api/none', set: true },
      ],
    },
    'fail',
    /^api --none is not set$/,
  ],
  [{ all: [{ flag: 'api/none', lacks: 'x' }] }, 'pass', /not set/],
  [{ all: [{ flag: 'api/none', not: ['x'] }] }, 'pass', /not set/],
  [{ all: [{ flag: 'api/none', is: 'false' }] }, 'fail', /not set/],
  [{ all: [{ flag: 'api/none', only: ['x'] }] }, 'fail', /not set/],
  [{ all: [{ flag: 'api/on', is: 'true' }] }, 'pass', /is true/],
  [{ all: [{ flag: 'api/age', atLeast: 30 }] }, 'pass', /is 30/],
  [{ all: [{ flag: 'api/age', atLeast: 31 }] }, 'fail', /is 30/],
  [{ all: [{ flag: 'api/modes', atLeast: 1 }] }, 'fail', /Node/],
  [{ all: [{ flag: 'api/modes', other: 'api/age' }] }, 'pass', /Node/],
  [{ all: [{ flag: 'api/age', other: 'api/age' }] }, 'fail', /30/],
  [{ all: [{ flag: 'api/age', other: 'etcd/age' }] }, 'unknown', /nothing to be compared with/],
  [{ all: [{ flag: 'etcd/age', set: true }] }, 'unknown', /manifest of etcd was not seen/],
  [
    {
      any: [
        { flag: 'api/none', set: true },
        { flag: 'api/on', set: true },
      ],
    },
    'pass',
    /--on/,
  ],
  [
    {
      any: [
        { flag: 'api/none', set: true },
        { flag: 'etcd/on', set: true },
      ],
    },
    'unknown',
    /etcd/,
  ],
  [{ all: [{ kubelet: 'auth.anonymous.enabled', is: 'false' }] }, 'pass', /is false/],
  [{ all: [{ kubelet: 'port', not: ['10255'] }] }, 'pass', /is 0/],
  [{ all: [{ kubelet: 'ciphers', only: ['A'] }] }, 'fail', /A,B/],
  [{ all: [{ kubeletFlag: 'hostname-override', set: false }] }, 'pass', /not set/],
  [{ all: [{ config: 'keys.yaml/resources.*.providers.0', only: ['secretbox'] }] }, 'pass', /is secretbox$/],
  [{ all: [{ config: 'none.yaml/a', set: true }] }, 'unknown', /none\.yaml was not seen/],
  [{ files: { paths: ['/pki/*.key'], mode: '600', optional: false } }, 'pass', /^\/pki\/a\.key is 600$/],
  [
    { files: { paths: ['/pki/**.key'], mode: '600', optional: false } },
    'fail',
    /^\/pki\/etcd\/b\.key is 640$/,
  ],
  [{ files: { paths: ['/pki/**'], owner: 'root:root', optional: false } }, 'fail', /b\.key is root:etcd/],
  [{ files: { paths: ['/pki/axcrt'], mode: '600', optional: false } }, 'unknown', /not seen/],
  [{ files: { paths: ['/none/*'], mode: '600', optional: true } }, 'pass', /no such file/],
  [{ manual: 'ask' }, 'manual', /^ask$/],
  [{ all: [{ flag: 'api/on', is: 'no' }], accepted: 'we want it' }, 'accepted', /is true; meant: we want it/],
  [{ all: [{ flag: 'api/on', is: 'true' }], accepted: 'we want it' }, 'pass', /is true$/],
];

for (const [part, verdict, reason] of cases) {
  test(`a check of ${JSON.stringify(part).slice(0, 90)}: ${verdict}`, () => {
    const [is, why] = judge(part);
    assert.equal(is, verdict, why);
    assert.match(why, reason);
  });
}

test('a list may be named, and must exist', () => {
  assert.equal(
    judge({ all: [{ kubelet: 'ciphers', only: 'strong' }] }, facts, { strong: ['A', 'B', 'C'] })[0],
    'pass',
  );
  const check = { id: '1.1', scope: 'node', title: 'one', all: [{ kubelet: 'a', only: 'strong' }] };
  assert.equal(cisBenchmark.safeParse({ benchmark: 'b', lists: {}, checks: [check] }).success, false);
  assert.equal(
    cisBenchmark.safeParse({ benchmark: 'b', lists: { strong: ['A'] }, checks: [check, check] }).success,
    false,
  );
});

test('a check says one thing only', () => {
  const accepts = (check: object) =>
    cisBenchmark.safeParse({ benchmark: 'b', checks: [{ id: '1.1', scope: 'node', title: 'one', ...check }] })
      .success;
  assert.equal(accepts({ manual: 'ask' }), true);
  assert.equal(accepts({}), false);
  assert.equal(accepts({ manual: 'ask', all: [{ kubelet: 'a', set: true }] }), false);
  assert.equal(accepts({ all: [{ kubelet: 'a', flag: 'b/c', set: true }] }), false);
  assert.equal(accepts({ all: [{ kubelet: 'a', set: true, is: 'x' }] }), false);
  assert.equal(accepts({ files: { paths: ['/a'] } }), false);
});

test("the benchmark's own data is sound, and nothing passes on a node of which nothing was seen", async () => {
  const path = new URL(
    '../../../../../os/kubernetes/tree/usr/share/plinth/kubernetes/cis.yaml',
    import.meta.url,
  );
  const data = readDocument(await readFile(path, 'utf8'), 'cis.yaml', cisBenchmark, 'config/invalid');
  assert.ok(data.ok, data.ok ? '' : data.diagnostics.map(({ message }) => message).join('\n'));
  const sections = new Set(data.value.checks.map(({ id }) => id.split('.')[0]));
  assert.deepEqual([...sections], ['1', '2', '3', '4', '5']);
  assert.ok(evaluateCis(data.value, nothing).every(({ section }) => section !== ''));
  const passes = evaluateCis(data.value, nothing).filter(({ verdict }) => verdict === 'pass');
  // No network configuration and no kept credentials are as good as ones only root reads.
  assert.deepEqual(
    passes.map(({ id }) => id),
    ['1.1.9', '1.1.10', '1.1.13', '1.1.14'],
  );
  assert.ok(evaluateCis(data.value, nothing).every(({ verdict }) => verdict !== 'fail'));
  assert.ok(evaluateCis(data.value, { ...nothing, role: 'worker' }).every(({ id }) => id.startsWith('4.')));
});

test('readStaticPod reads a manifest and refuses what is none', () => {
  const pod = {
    kind: 'Pod',
    metadata: { name: 'etcd' },
    spec: { containers: [{ command: ['etcd', '--a=b=c', '--a=d'] }] },
  };
  assert.deepEqual(readStaticPod(JSON.stringify(pod)), ['etcd', new Map([['a', 'd']])]);
  for (const text of ['', 'kind: Service', '[', JSON.stringify({ ...pod, spec: { containers: [] } })])
    assert.throws(() => readStaticPod(text));
});

test('valuesAt walks any value, and gives texts', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (value, field) => {
      const values = valuesAt(value, field);
      assert.ok(values === undefined || values.every((one) => typeof one === 'string'));
    }),
  );
  assert.equal(valuesAt({ a: null }, 'a'), undefined);
  assert.deepEqual(valuesAt({ a: [] }, 'a'), []);
});
