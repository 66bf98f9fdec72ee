import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, suite, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { connectNode, type NodeClient, openAuditVerifier, seeFingerprint } from '@plinth/api';
import { codeOf } from '@plinth/host/testing';
import { auditFolder } from '../audit/audit-files.ts';
import { memoryStore, openFolder, type StateStore } from '../sys/state-store.ts';
import { makeAuthority } from '../testing/authority.ts';
import { soundNode } from '../testing/sound-node.ts';
import { type StartedAgent, startAgent } from '../testing/start-agent.ts';

const FW_CFG = '/sys/firmware/qemu_fw_cfg/by_name/opt/dev.plinth/machine-config/raw';
const READY = /^maintenance ready port=(\d+) fingerprint=(sha256:[0-9a-f]{64})$/;
const authority = makeAuthority();
const stranger = makeAuthority('stranger');
after(() => {
  authority[Symbol.dispose]();
  stranger[Symbol.dispose]();
});

const configOf = (name: string, pem = authority.certificatePem) =>
  Buffer.from(
    JSON.stringify({
      apiVersion: 'plinth.dev/v1alpha1',
      kind: 'MachineConfig',
      metadata: { name },
      api: { clientAuthorities: [pem] },
    }),
  );

suite('a node without a config', () => {
  let folder: string;
  let store: StateStore;
  const running: StartedAgent[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-maintenance-'));
    store = await openFolder(join(folder, 'state'));
  });
  afterEach(async () => {
    for (const each of running.splice(0)) await stopped(each);
    await rm(folder, { recursive: true, maxRetries: 10, retryDelay: 50 });
  });

  const start = (files: Record<string, string> = {}, kept = store) => {
    const node = soundNode();
    const auditFiles = auditFolder(join(folder, 'audit'));
    const agent = startAgent({ ...node, files: { ...node.files, ...files } }, { store: kept, auditFiles });
    running.push(agent);
    return agent;
  };
  const stopped = async (agent: StartedAgent) => {
    agent.stop();
    await agent.ended;
  };
  const door = async (agent: StartedAgent) => {
    const [, port, fingerprint] = await agent.line(READY);
    return { address: '127.0.0.1', port: Number(port), fingerprint: fingerprint ?? '', timeoutMs: 20_000 };
  };
  const api = async (agent: StartedAgent) => {
    const [, port, fingerprint] = await agent.line(/^api ready port=(\d+) fingerprint=(\S+)$/);
    return { address: '127.0.0.1', port: Number(port), fingerprint: fingerprint ?? '', timeoutMs: 20_000 };
  };
  const admin = (target: Awaited<ReturnType<typeof api>>): NodeClient => {
    const { certificatePem, keyPem } = authority.issue({ organisations: ['plinth:admin'] });
    return connectNode({ ...target, clientCertificatePem: certificatePem, clientKeyPem: keyPem });
  };

  test('shows its fingerprint, takes its first config from whoever pins it, and is that node from then on', async () => {
    const agent = start();
    const target = await door(agent);
    assert.equal(await seeFingerprint(target), target.fingerprint);
    using client = connectNode(target);
    const seen = await client.maintenance.get();
    assert.deepEqual([seen.code, seen.agentVersion], ['agent/config-missing', '0.1.0']);
    const config = configOf('node-7');
    const { plan, nodeName } = await client.maintenance.plan({ config });
    assert.equal(nodeName, 'node-7');
    assert.ok((plan?.changes.length ?? 0) > 0);
    assert.equal((await store.read('config/state.json')) === undefined, true);
    const given = await client.maintenance.apply({ config, reason: 'first day' });
    assert.deepEqual([given.revision, given.nodeName], [1, 'node-7']);
    const up = await api(agent);
    assert.equal(up.fingerprint, target.fingerprint);
    using root = admin(up);
    assert.equal((await root.getIdentity()).nodeId, seen.nodeId);
    const [revision] = (await root.config.history()).revisions;
    assert.deepEqual(
      [revision?.author.startsWith('stranger at '), revision?.reason, revision?.hash],
      [true, 'first day', given.hash],
    );
    assert.deepEqual(Buffer.from((await root.config.get()).config), config);
    assert.ok(
      agent.lines.some((line) => /^maintenance: stranger at .* gave the config of node node-7$/.test(line)),
    );
  });

  test('answers three calls and no others, and tells no words of a config that was refused', async () => {
    const agent = start({ [FW_CFG]: 'apiVersion: plinth.dev/v1alpha1\nkind: Machine\nhunter2: x\n' });
    await agent.line(/^maintenance: .*hunter2.* at line 3, column 1.*\[config\/invalid\]$/);
    using client = connectNode(await door(agent));
    const seen = await client.maintenance.get();
    assert.equal(seen.code, 'config/invalid');
    assert.doesNotMatch(JSON.stringify(seen), /hunter2/);
    for (const call of [
      () => client.getVersions(),
      () => client.config.apply({ config: configOf('x') }),
      () => client.config.get(),
      () => client.system.services(),
      () => client.access.get(),
    ])
      await assert.rejects(call(), {
        code: 'api/refused',
        message: /the node waits in maintenance for its first config/,
      });
    // Each call that the node knows is in the record; unknown paths are not calls.
    assert.deepEqual(
      [...new Set(agent.audit.map(({ method, role }) => `${method} ${role}`))],
      ['MaintenanceService.GetMaintenance plinth:stranger'],
    );
  });

  test('a config that cannot be used changes nothing and is told with its place', async () => {
    const agent = start();
    const target = await door(agent);
    using client = connectNode(target);
    const wrong = Buffer.from('apiVersion: plinth.dev/v1alpha1\nkind: Machine\nnam: x\n');
    await assert.rejects(client.maintenance.apply({ config: wrong }), /line \d+, column \d+/);
    assert.equal(await codeOf(client.maintenance.apply({ config: wrong })), 'config/invalid');
    const large = Buffer.alloc(256 * 1024 + 1, 0x20);
    assert.equal(await codeOf(client.maintenance.apply({ config: large })), 'config/too-large');
    assert.equal(await codeOf(client.maintenance.apply({ config: Buffer.alloc(600_000) })), 'api/overloaded');
    const config = configOf('x');
    assert.equal(await codeOf(client.maintenance.apply({ config, reason: 'a\nb' })), 'api/bad-request');
    assert.equal(await store.read('config/state.json'), undefined);
    await client.maintenance.apply({ config });
    await api(agent);
  });

  test('a machine that is defined with a wrong config is mended by hand, and comes up again in spite of it', async () => {
    const wrong = { [FW_CFG]: 'apiVersion: plinth.dev/v1alpha1\nkind: Machine\nhunter2: x\n' };
    const agent = start(wrong);
    const target = await door(agent);
    {
      using client = connectNode(target);
      await client.maintenance.apply({ config: configOf('mended') });
    }
    await api(agent);
    await stopped(agent);
    const again = start(wrong);
    using root = admin(await api(again));
    const status = await root.config.status();
    assert.equal(status.source, 'api');
    assert.match(status.provisioningProblems.join('\n'), /unknown key "hunter2"/);
    assert.equal(
      again.lines.some((line) => READY.test(line)),
      false,
    );
  });

  test('somebody in the middle is found before a byte of the config is sent', async () => {
    const agent = start();
    const target = await door(agent);
    using client = connectNode({ ...target, fingerprint: `sha256:${'0'.repeat(64)}` });
    assert.equal(await codeOf(client.maintenance.apply({ config: configOf('x') })), 'api/identity-mismatch');
    assert.equal(agent.audit.length, 0);
    assert.equal(await store.read('config/state.json'), undefined);
  });

  test('of two who give a config at the same time one is refused', async () => {
    const agent = start();
    const target = await door(agent);
    using first = connectNode(target);
    using second = connectNode(target);
    await Promise.all([first.maintenance.get(), second.maintenance.get()]);
    const codes = await Promise.all([
      codeOf(first.maintenance.apply({ config: configOf('a') })),
      codeOf(second.maintenance.apply({ config: configOf('b') })),
    ]);
    assert.deepEqual(codes.sort(), ['config/already-given', 'ok']);
  });

  test('with a config the door is shut for good, also where that config is lost', async () => {
    const agent = start();
    const target = await door(agent);
    {
      using client = connectNode(target);
      await client.maintenance.apply({ config: configOf('node-7') });
    }
    const up = await api(agent);
    using late = connectNode(up);
    assert.equal(await codeOf(late.maintenance.apply({ config: configOf('evil') })), 'api/forbidden');
    using root = admin(up);
    assert.equal(await codeOf(root.maintenance.apply({ config: configOf('evil') })), 'api/unsupported');
    await stopped(agent);
    // Comes up with it again, and with the same identity.
    const again = start();
    assert.equal((await api(again)).fingerprint, target.fingerprint);
    await stopped(again);
    for (const lost of ['machine-config', 'config/state.json'])
      await store.write(lost, Buffer.from('neither JSON nor YAML: {'));
    const broken = start();
    await broken.line(/^maintenance: takes no config over the network: it had a config before/);
    assert.equal(
      broken.lines.some((line) => READY.test(line)),
      false,
    );
  });

  test('a node that cannot remember opens no door', async () => {
    const agent = start({}, memoryStore('/var is on tmpfs'));
    await agent.line(/^maintenance: takes no config over the network: .*not known: \/var is on tmpfs$/);
    assert.equal(
      agent.lines.some((line) => READY.test(line)),
      false,
    );
  });

  test('a caller is slowed down, and others are not', async () => {
    const agent = start();
    using client = connectNode(await door(agent));
    const codes = await Promise.all(Array.from({ length: 40 }, () => codeOf(client.maintenance.get())));
    assert.ok(codes.includes('ok'));
    assert.ok(codes.includes('api/overloaded'), codes.join());
  });

  test('what does not speak HTTP/2 over TLS 1.3 gets no answer', async () => {
    const agent = start();
    const { port } = await door(agent);
    const old = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    assert.match(String(await new Promise((resolve) => old.once('error', resolve))), /protocol version/i);
  });

  test('the audit log has it all in one chain, from the first call of a stranger on', async () => {
    const agent = start();
    using client = connectNode(await door(agent));
    await client.maintenance.apply({ config: configOf('node-7'), reason: 'rack 4' });
    using root = admin(await api(agent));
    await root.getVersions();
    const verifier = openAuditVerifier(undefined);
    const records: Record<string, unknown>[] = [];
    for await (const lines of root.audit.read()) {
      for (const line of lines) {
        verifier.add(line);
        records.push(JSON.parse(line) as Record<string, unknown>);
      }
    }
    assert.deepEqual(verifier.finish().problems, []);
    const given = records.filter(({ method }) => method === 'MaintenanceService.ApplyFirstConfig');
    assert.deepEqual(
      given.map(({ event, result }) => `${event} ${result}`),
      ['api.begin ', 'api.call ok'],
    );
    assert.match(String(given[1]?.['arguments']), /^config=hidden reason="rack 4"$/);
    assert.match(String(given[1]?.['caller']), /^stranger at /);
    assert.ok(records.some(({ event }) => event === 'maintenance.end'));
  });
});
