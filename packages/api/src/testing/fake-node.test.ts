import assert from 'node:assert/strict';
import { test } from 'node:test';
import { actStateName, connectNode, Membership, membershipName, NodeRole } from '../index.ts';
import { FakeNode, fakeWorld } from './fake-node.ts';
import { serveFakeNode } from './serve-fake-node.ts';

async function connect(node: FakeNode) {
  const served = await serveFakeNode(node);
  const { port, fingerprint, certificatePem, keyPem } = served;
  const client = connectNode({
    ...{ address: '127.0.0.1', port, fingerprint, timeoutMs: 20_000 },
    ...{ clientCertificatePem: certificatePem, clientKeyPem: keyPem },
  });
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      await served[Symbol.asyncDispose]();
    },
  };
}

test('a fake node is bootstrapped once, invites once, and lets nobody else join', async () => {
  const world = fakeWorld();
  await using a = await connect(new FakeNode('a', world));
  await using b = await connect(new FakeNode('b', world));
  await using c = await connect(new FakeNode('c', world));
  const { kubernetes } = a.client;
  await assert.rejects(kubernetes.invite({ nodeId: 'x' }), { code: 'api/refused' });
  await kubernetes.bootstrap({ cluster: { name: 'local' }, kubernetesVersion: '1.37.1' });
  await assert.rejects(kubernetes.upgrade('1.36.4'), { code: 'api/refused' }, 'one act at a time');
  const states = [];
  for (let step = 0; step < 3; step++) states.push(actStateName((await kubernetes.get()).act?.state ?? 0));
  assert.deepEqual(states, ['running', 'running', 'done']);
  assert.equal(membershipName((await kubernetes.get()).membership), 'member');
  await assert.rejects(kubernetes.bootstrap({}), { code: 'api/refused', hint: 'Mend it.' });

  const { nodeId } = await b.client.getIdentity();
  const invitation = await kubernetes.invite({ nodeId, nodeName: 'b', role: NodeRole.WORKER });
  await assert.rejects(c.client.kubernetes.join(invitation), { code: 'api/refused' });
  await b.client.kubernetes.join(invitation);
  await assert.rejects(b.client.kubernetes.join(invitation), { code: 'api/refused' });
  await assert.rejects(kubernetes.leave(), { code: 'api/refused' });
});

test('an act of a fake node fails where it was told to, and goes on when called again', async () => {
  const node = new FakeNode('a', fakeWorld());
  node.failAt = 1;
  await using a = await connect(node);
  const { kubernetes } = a.client;
  await kubernetes.bootstrap({});
  await kubernetes.get();
  const { act, membership } = await kubernetes.get();
  assert.deepEqual([membership, act?.failure?.message], [Membership.PENDING, 'the disk is full']);
  await kubernetes.bootstrap({});
  for (let step = 0; step < 3; step++) await kubernetes.get();
  assert.equal(node.membership, Membership.MEMBER);
});
