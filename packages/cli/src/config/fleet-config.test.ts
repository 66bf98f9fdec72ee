import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { makeAuthority, serveWorld, World } from '@plinth/agent/testing';
import { connectNode, type NodeClient } from '@plinth/api';
import { FakeNode, fakeWorld, serveFakeNode } from '@plinth/api/testing';
import { parseConfig } from '@plinth/config';
import { type ConfigReport, target as targetSchema } from '@plinth/fleet';
import { applyConfig, askConfig, configReport, revertReason, takeConfigBack } from '@plinth/fleet/testing';
import { eventually } from '@plinth/host/testing';

const authority = makeAuthority();
after(() => authority[Symbol.dispose]());

const API = 'apiVersion: plinth.dev/v1alpha1';
const SETTINGS = Buffer.from(`${API}\nkind: Sysctls\nsettings: { vm.max_map_count: 300000 }\n`);
const SHIPPING = Buffer.from(
  `${API}\nkind: OperationsSession\nimage: r.example/tools@sha256:${'0'.repeat(64)}\nlevels: [view]\n`,
);
const VOLUME = `${API}\nkind: Volume\nname: fast\ndisk: { serial: S5GXNX0T123456 }\n`;
const BY_REBOOT = Buffer.from(`${VOLUME}options: [noatime]\n`);
const PATIENCE = { patienceMs: 60_000, everyMs: 10 };
const target = targetSchema.parse({ release: 'r1', rollout: 'x', lane: 'Standard' });

/** A machine whose config has a volume, so that its options can be changed. */
function machine(): World {
  const text = [
    `${API}\nkind: Machine\nname: node-1\n`,
    `${API}\nkind: ApiAccess\nclientAuthorities: [${JSON.stringify(authority.certificatePem)}]\n`,
    VOLUME,
  ].join('---\n');
  const world = new World();
  const parsed = parseConfig(Buffer.from(text), 'test');
  assert.ok(parsed.ok);
  world.given = { ok: true, source: 'fw_cfg', config: parsed.value, bytes: Buffer.from(text) };
  return world;
}

/** One boot of it, with the service of plinthd over gRPC and TLS, and what the fleet operator asks there. */
async function boot(world: World) {
  await using opened = new AsyncDisposableStack();
  const { plinthd, routes } = await serveWorld(world);
  const stop = new AbortController();
  opened.defer(() => stop.abort());
  void plinthd.transaction.run(stop.signal);
  const node = new FakeNode('node-1', fakeWorld());
  node.more.push(routes);
  const { port, certificatePem, keyPem } = opened.use(await serveFakeNode(node));
  const { nodeId = '' } = node.world.peers.get('node-1') ?? {};
  const client: NodeClient = connectNode({
    ...{ address: '127.0.0.1', port, nodeId, timeoutMs: 30_000 },
    ...{ clientCertificatePem: certificatePem, clientKeyPem: keyPem },
  });
  opened.defer(() => client.close());
  const rest = opened.move();
  const report = async (documents: Uint8Array) => configReport(await askConfig(client, documents), target);
  return {
    client,
    report,
    until: (documents: Uint8Array, state: ConfigReport['state']) =>
      eventually(async () => (await report(documents)).state === state, PATIENCE),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

suite("what the fleet operator asks of a node's own config service", () => {
  test('documents are brought at once, once, and taken back by name', async () => {
    await using node = await boot(machine());
    await node.until(SETTINGS, 'Due');
    const due = await node.report(SETTINGS);
    assert.deepEqual([due.needs, due.isOurs, due.changes.length > 0], ['Restart', false, true]);
    await applyConfig(node.client, target, SETTINGS, due, false);
    await node.until(SETTINGS, 'InEffect');
    const there = await node.report(SETTINGS);
    assert.deepEqual([there.needs, there.isOurs, there.changes], ['Nothing', true, []]);
    await applyConfig(node.client, target, SETTINGS, due, false);
    assert.equal((await node.report(SETTINGS)).revision, there.revision, 'nothing was begun anew');
    // A kernel setting that nothing had set before cannot be forgotten by a kernel that runs.
    for (let time = 0; time < 2; time++) await takeConfigBack(node.client, target, false);
    const back = await node.report(SETTINGS);
    assert.deepEqual([back.isOurs, back.isBackStaged, back.state], [true, true, 'InEffect']);
    assert.equal((await node.client.config.status()).stagedRevision, 3);
  });

  test('what can go at once goes at once', async () => {
    await using node = await boot(machine());
    await node.until(SHIPPING, 'Due');
    await applyConfig(node.client, target, SHIPPING, await node.report(SHIPPING), false);
    await node.until(SHIPPING, 'InEffect');
    await takeConfigBack(node.client, target, false);
    await node.until(SHIPPING, 'Due');
    await takeConfigBack(node.client, target, false);
    const { isOurs, isBackStaged } = await node.report(SHIPPING);
    assert.deepEqual([isOurs, isBackStaged], [false, false]);
  });

  test('documents that need a reboot wait for it, and are taken back with the next one', async () => {
    const world = machine();
    {
      await using node = await boot(world);
      await node.until(BY_REBOOT, 'Due');
      const due = await node.report(BY_REBOOT);
      assert.equal(due.needs, 'Reboot');
      await assert.rejects(applyConfig(node.client, target, BY_REBOOT, due, false), {
        code: 'config/needs-reboot',
      });
      for (let time = 0; time < 2; time++) await applyConfig(node.client, target, BY_REBOOT, due, true);
      assert.deepEqual(
        [(await node.report(BY_REBOOT)).state, (await node.client.config.status()).stagedRevision],
        ['Staged', 2],
      );
    }
    world.reboot();
    {
      await using node = await boot(world);
      await node.until(BY_REBOOT, 'InEffect');
      assert.equal((await node.report(BY_REBOOT)).isOurs, true);
      for (let time = 0; time < 2; time++) await takeConfigBack(node.client, target, true);
      assert.equal((await node.client.config.status()).stagedRevision, 3);
    }
    world.reboot();
    await using node = await boot(world);
    await node.until(BY_REBOOT, 'Due');
    assert.equal((await node.report(BY_REBOOT)).isOurs, false);
  });

  test('what the node took back is told with its reason, and not brought again', async () => {
    const world = machine();
    {
      await using node = await boot(world);
      await node.until(BY_REBOOT, 'Due');
      await applyConfig(node.client, target, BY_REBOOT, await node.report(BY_REBOOT), true);
    }
    world.reboot();
    world.healthy = false;
    {
      await using node = await boot(world);
      await node.until(BY_REBOOT, 'OnTrial');
    }
    world.reboot();
    await using node = await boot(world);
    await node.until(BY_REBOOT, 'Reverted');
    const answers = await askConfig(node.client, BY_REBOOT);
    assert.match(revertReason(answers, target)?.text ?? '', /did not reach health/);
    await assert.rejects(applyConfig(node.client, target, BY_REBOOT, configReport(answers, target), true), {
      code: 'config/reverted',
    });
  });
});
