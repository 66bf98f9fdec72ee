import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { JoinToken } from '../access/join-tokens.ts';
import { judgeRequest, type KnownNodes, type NodeRequest, SIGNERS } from './judge-request.ts';
import type { RequestContent } from './parse-request.ts';

const node = { nodeId: 'aa', nodeName: 'n1', nodeAddress: '192.0.2.7', role: 'worker' } as const;
const token: JoinToken = {
  id: 'abcdef',
  node,
  expiresAtMs: 1000,
  usedByKey: undefined,
  usedAtMs: undefined,
  resourceVersion: '1',
};
const content: RequestContent = {
  commonName: 'system:node:n1',
  organisations: ['system:nodes'],
  dnsNames: [],
  addresses: [],
  more: [],
  keyDigest: 'k1',
  signed: true,
};
const join: NodeRequest = {
  signer: SIGNERS.client,
  requestor: 'system:bootstrap:abcdef',
  requestorGroups: ['system:bootstrappers', 'system:authenticated'],
  usages: ['digital signature', 'client auth'],
  content,
};
const renewal: NodeRequest = {
  ...join,
  requestor: 'system:node:n1',
  requestorGroups: ['system:nodes', 'system:authenticated'],
};
const serving: NodeRequest = {
  ...renewal,
  signer: SIGNERS.serving,
  usages: ['digital signature', 'key encipherment', 'server auth'],
  content: { ...content, dnsNames: ['n1'], addresses: ['192.0.2.7'] },
};
const known: KnownNodes = { records: [], tokens: [token], nowMs: 0 };
const member: KnownNodes = { ...known, records: [node] };

test('the three requests of a sound node are approved', () => {
  const joined = judgeRequest(join, known);
  assert.ok(joined.verdict === 'approve');
  assert.equal(joined.redeems, token);
  assert.equal(judgeRequest(renewal, member).verdict, 'approve');
  assert.equal(judgeRequest(serving, member).verdict, 'approve');
  // The same machine comes again, and the same key asks again before it has its certificate.
  assert.equal(judgeRequest(join, member).verdict, 'approve');
  const used = { ...known, tokens: [{ ...token, usedByKey: 'k1' }] };
  assert.equal(judgeRequest(join, used).verdict, 'approve');
});

/** Each row changes one thing of a request that would be approved. */
const refusals: readonly [string, NodeRequest, KnownNodes, 'deny' | 'leave', RegExp][] = [
  ['ended token', join, { ...known, nowMs: 1000 }, 'deny', /has ended/],
  [
    'token without an end',
    join,
    { ...known, tokens: [{ ...token, expiresAtMs: Number.NaN }] },
    'deny',
    /ended/,
  ],
  ['used token', join, { ...known, tokens: [{ ...token, usedByKey: 'k2' }] }, 'deny', /used by another key/],
  ['foreign token', { ...join, requestor: 'system:bootstrap:zzzzzz' }, known, 'leave', /not made by Plinth/],
  [
    'name of another',
    { ...join, content: { ...content, commonName: 'system:node:n2' } },
    known,
    'deny',
    /for node n1/,
  ],
  ['second machine', join, { ...known, records: [{ ...node, nodeId: 'bb' }] }, 'deny', /another machine/],
  ['second name', join, { ...known, records: [{ ...node, nodeName: 'n9' }] }, 'deny', /already node n9/],
  [
    'token for serving',
    { ...serving, requestor: join.requestor, requestorGroups: join.requestorGroups },
    known,
    'deny',
    /client certificates only/,
  ],
  ['no token group', { ...join, requestorGroups: [] }, known, 'deny', /with a token/],
  [
    'names in client',
    { ...join, content: { ...content, dnsNames: ['n1'] } },
    known,
    'deny',
    /no alternative names/,
  ],
  ['unsigned', { ...join, content: { ...content, signed: false } }, known, 'deny', /not signed/],
  ['unreadable', { ...join, content: undefined }, known, 'deny', /well-formed/],
  [
    'more',
    { ...join, content: { ...content, more: ['extension 1'] } },
    known,
    'deny',
    /more than a node needs/,
  ],
  [
    'masters',
    { ...join, content: { ...content, organisations: ['system:masters'] } },
    known,
    'deny',
    /system:nodes alone/,
  ],
  [
    'two groups',
    { ...join, content: { ...content, organisations: ['system:nodes', 'system:masters'] } },
    known,
    'deny',
    /alone/,
  ],
  [
    'usages',
    { ...join, usages: ['digital signature', 'client auth', 'server auth'] },
    known,
    'deny',
    /usages/,
  ],
  ['few usages', { ...join, usages: ['client auth'] }, known, 'deny', /usages/],
  ['unknown member', renewal, known, 'leave', /not a known member/],
  ['for another', { ...renewal, requestor: 'system:node:n2' }, member, 'deny', /for itself only/],
  ['no node group', { ...renewal, requestorGroups: [] }, member, 'deny', /not a node/],
  [
    'foreign name',
    { ...serving, content: { ...content, dnsNames: ['kubernetes'] } },
    member,
    'deny',
    /a name that is not/,
  ],
  [
    'foreign address',
    { ...serving, content: { ...content, addresses: ['192.0.2.8'] } },
    member,
    'deny',
    /an address that is not/,
  ],
  ['nameless', { ...serving, content }, member, 'deny', /needs names/],
  ['a person', { ...join, requestor: 'alice' }, known, 'leave', /by a node/],
  [
    'other signer',
    { ...join, signer: 'kubernetes.io/kube-apiserver-client' },
    known,
    'leave',
    /not for nodes/,
  ],
];
for (const [name, request, knowledge, verdict, reason] of refusals) {
  test(`${verdict}: ${name}`, () => {
    const judged = judgeRequest(request, knowledge);
    assert.equal(judged.verdict, verdict);
    assert.match(judged.reason, reason);
  });
}

const names = fc.constantFrom('n1', 'n2', 'n3');
const ids = fc.constantFrom('aa', 'bb', 'cc');
const nodes = fc.record({
  nodeId: ids,
  nodeName: names,
  nodeAddress: fc.constantFrom('192.0.2.7', '192.0.2.8'),
  role: fc.constant('worker' as const),
});
/** Mostly what a sound node sends, so that many requests come as far as to be approved. */
function mostly<T>(sound: T, others: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(sound) }, { weight: 1, arbitrary: others });
}
const users = fc.oneof(
  names.map((name) => `system:node:${name}`),
  fc.constantFrom('system:bootstrap:abcdef', 'system:bootstrap:other0', 'alice', ''),
);
const contents = (sound: RequestContent) =>
  fc.record({
    commonName: mostly(
      sound.commonName,
      names.map((name) => `system:node:${name}`),
    ),
    organisations: mostly(sound.organisations, fc.subarray(['system:nodes', 'system:masters'])),
    dnsNames: mostly(sound.dnsNames, fc.subarray(['n1', 'n2', 'x'])),
    addresses: mostly(sound.addresses, fc.subarray(['192.0.2.7', '192.0.2.8'])),
    more: mostly(sound.more, fc.subarray(['extension 1'])),
    keyDigest: fc.constantFrom('k1', 'k2'),
    signed: mostly(sound.signed, fc.boolean()),
  });
const requests = fc.constantFrom(join, renewal, serving).chain((sound) =>
  fc.record({
    signer: mostly(sound.signer, fc.constantFrom(SIGNERS.client, SIGNERS.serving, 'other')),
    requestor: mostly(sound.requestor, users),
    requestorGroups: mostly(
      sound.requestorGroups,
      fc.subarray(['system:nodes', 'system:bootstrappers', 'system:masters']),
    ),
    usages: mostly(
      sound.usages,
      fc.subarray(['digital signature', 'client auth', 'server auth', 'key encipherment', 'cert sign']),
    ),
    content: contents(sound.content ?? content),
  }),
);

test('whatever is approved is for the one who asked or was invited, and for nothing else', () => {
  let approved = 0;
  fc.assert(
    fc.property(
      requests,
      fc.array(nodes, { maxLength: 2 }),
      nodes,
      fc.option(fc.constantFrom('k1', 'k2'), { nil: undefined }),
      fc.nat(2000),
      (request, records, invited, usedByKey, nowMs) => {
        const judged = judgeRequest(request, {
          records,
          tokens: [{ ...token, node: invited, usedByKey }],
          nowMs,
        });
        if (judged.verdict !== 'approve') return;
        approved++;
        const asked = request.content;
        assert.ok(asked.signed && asked.more.length === 0);
        assert.deepEqual(asked.organisations, ['system:nodes']);
        const name = asked.commonName.slice('system:node:'.length);
        assert.ok(!request.usages.includes('cert sign'));
        assert.equal(request.usages.includes('server auth'), request.signer === SIGNERS.serving);
        assert.equal(request.usages.includes('client auth'), request.signer === SIGNERS.client);
        if (judged.redeems) {
          assert.equal(name, invited.nodeName);
          assert.ok(nowMs < 1000);
          assert.ok(usedByKey === undefined || usedByKey === asked.keyDigest);
          assert.ok(records.every((one) => (one.nodeName === name) === (one.nodeId === invited.nodeId)));
        } else {
          assert.equal(request.requestor, asked.commonName);
          assert.ok(records.some((one) => one.nodeName === name));
        }
        const own = records.find((one) => one.nodeName === name);
        assert.ok(asked.dnsNames.every((dnsName) => dnsName === name));
        assert.ok(asked.addresses.every((address) => address === own?.nodeAddress));
      },
    ),
    { numRuns: 20_000 },
  );
  assert.ok(approved > 200, `only ${approved} of the cases were approved: the property says little`);
});
