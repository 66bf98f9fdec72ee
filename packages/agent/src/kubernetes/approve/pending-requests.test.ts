import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import type { InvitedNode } from '../access/cluster-access.ts';
import type { JoinToken } from '../access/join-tokens.ts';
import type { KubeClient } from '../access/kube-client.ts';
import { admitsAll } from '../testing/admits-all.ts';
import { SIGNERS } from './judge-request.ts';
import { judgePending, listPending } from './pending-requests.ts';

const nowMs = 1_000;

function nodeOf(name: string): InvitedNode {
  return { nodeId: `id-${name}`, nodeName: name, nodeAddress: '192.0.2.9', role: 'worker' };
}

function tokenOf(id: string, name: string): JoinToken {
  return {
    ...{ id, node: nodeOf(name), expiresAtMs: 2_000 },
    ...{ usedByKey: undefined, usedAtMs: undefined, resourceVersion: '1' },
  };
}

/** What a new key of a node asks for with a token. */
function requestOf(name: string, tokenId: string, nodeName: string) {
  const pem = execFileSync(
    'openssl',
    [
      ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'],
      ...['-keyout', '/dev/null', '-subj', `/O=system:nodes/CN=system:node:${nodeName}`],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  return {
    metadata: { name },
    spec: {
      request: pem.toString('base64'),
      signerName: SIGNERS.client,
      username: `system:bootstrap:${tokenId}`,
      groups: ['system:bootstrappers'],
      usages: ['digital signature', 'client auth'],
    },
    status: {},
  };
}

const verdictsOf = ({ judged }: Awaited<ReturnType<typeof judgePending>>) =>
  judged.map(({ request, judgement }) => `${request.metadata.name} ${judgement.verdict}`);

test('of two keys with one token only one is approved in a round; the other is judged after it', async () => {
  const pending = [requestOf('a', 'aaaaaa', 'n1'), requestOf('b', 'aaaaaa', 'n1')];
  const first = await judgePending(
    pending,
    { records: [], tokens: [tokenOf('aaaaaa', 'n1')], nowMs },
    admitsAll.admit,
  );
  assert.deepEqual(verdictsOf(first), ['a approve']);
  assert.equal(first.skipped, true);
  const used = { ...tokenOf('aaaaaa', 'n1'), usedByKey: first.judged[0]?.keyDigest ?? '' };
  const second = await judgePending(
    pending.slice(1),
    { records: [nodeOf('n1')], tokens: [used], nowMs },
    admitsAll.admit,
  );
  assert.deepEqual(verdictsOf(second), ['b deny']);
  assert.equal(second.skipped, false);
});

test('two machines of one name do not go together', async () => {
  const tokens = [
    tokenOf('aaaaaa', 'n1'),
    { ...tokenOf('bbbbbb', 'n1'), node: { ...nodeOf('n1'), nodeId: 'x' } },
  ];
  const pending = [requestOf('a', 'aaaaaa', 'n1'), requestOf('b', 'bbbbbb', 'n1')];
  const round = await judgePending(pending, { records: [], tokens, nowMs }, admitsAll.admit);
  assert.deepEqual(verdictsOf(round), ['a approve']);
  assert.equal(round.skipped, true);
});

test('a round decides about a hundred; requests left to a person do not stand before them', async () => {
  const left = Array.from({ length: 150 }, (_, index) => requestOfNobody(`left-${index}`));
  const denied = Array.from({ length: 101 }, (_, index) => ({
    ...requestOfNobody(`denied-${index}`),
    spec: { ...requestOfNobody('').spec, username: 'system:bootstrap:aaaaaa' },
  }));
  const round = await judgePending([...left, ...denied], { records: [], tokens: [], nowMs }, admitsAll.admit);
  const count = (verdict: string) =>
    round.judged.filter(({ judgement }) => judgement.verdict === verdict).length;
  assert.deepEqual([count('leave'), count('deny'), round.skipped], [150, 100, true]);
});

function requestOfNobody(name: string) {
  return {
    metadata: { name },
    spec: { request: '', signerName: SIGNERS.client, username: 'alice', groups: [], usages: [] },
    status: {},
  };
}

test('all pages are read, answered requests left out, the oldest first', async () => {
  const item = (name: string, creationTimestamp: string, answered = false) => ({
    metadata: { name, creationTimestamp },
    spec: { request: '', signerName: SIGNERS.client },
    status: answered ? { conditions: [{ type: 'Approved' }] } : {},
  });
  const pages: Readonly<Record<string, object>> = {
    '': {
      metadata: { continue: 'more' },
      items: [item('late', '2026-01-02T00:00:00Z'), item('done', '2026-01-01T00:00:00Z', true)],
    },
    more: { metadata: {}, items: [item('early', '2026-01-01T12:00:00Z')] },
  };
  const unused = () => assert.fail('only lists are read');
  const client: KubeClient = {
    get: async (path, schema) =>
      schema.parse(pages[new URLSearchParams(path.split('?')[1]).get('continue') ?? '']),
    ...{ find: unused, create: unused, replace: unused, patch: unused, remove: unused, close: () => {} },
  };
  const pending = await listPending(client, SIGNERS.client);
  assert.deepEqual(
    pending.map(({ metadata }) => metadata.name),
    ['early', 'late'],
  );
});
