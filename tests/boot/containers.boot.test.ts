import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, suite, test } from 'node:test';
import { BootstrapContainerState, type NodeClient, SessionLevel, Verdict } from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import { attack } from '../testkit/attack-report.ts';
import { type BootedImage, bootImage, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { type ImageRegistry, startImageRegistry } from '../testkit/image-registry.ts';
import { settledHealth, verdictOf } from '../testkit/node-answers.ts';
import { joinConfig } from '../testkit/owner.ts';
import { openTerminal } from '../testkit/session-terminal.ts';

// Containers of the node itself: those that run before its workloads, and sessions of people. With the very image, its
// containerd, its crun and its service manager; without a Kubernetes layer, which neither needs.

const NODE = 'containers';
const PATIENCE = { patienceMs: 300_000, everyMs: 1_000 };
const START_MS = 120_000;
const HALF_MINUTE = 30_000;

suite('containers of the node itself', () => {
  let lab: BootLab;
  let registry: ImageRegistry;
  let booted: BootedImage;
  let client: NodeClient;

  before(async () => {
    lab = await openBootLab({ refusals: [] });
    registry = await startImageRegistry(lab);
    booted = await bootImage(lab, NODE, {
      title: 'a node with containers of its own',
      expected: 'ready',
      spec: { machineConfig: config(), onReboot: 'restart' },
    });
    client = lab.owner.connect(endpointOf(booted));
  });
  after(async () => {
    client?.close();
    await registry?.[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  const script = (data: string) => ({ command: ['/bin/bash', '/plinth/data'], data });
  function config(sessions: object = {}): string {
    const { image, document } = registry;
    return joinConfig(
      lab.owner.machineConfig(NODE),
      document,
      {
        ...{ kind: 'BootstrapContainer', name: 'a-setup', image, essential: true },
        ...script('echo "$1 as $(id -u)"; echo seed >> /var/local/seed/file; cat /var/local/seed/file\n'),
        ...{ args: ['hello'], mounts: [{ path: '/var/local/seed', writable: true }] },
      },
      { kind: 'BootstrapContainer', name: 'b-fails', image, ...script('echo wrong >&2; exit 7\n') },
      {
        ...{ kind: 'BootstrapContainer', name: 'c-always', image, run: 'every-boot' },
        ...script(
          'exec 2>&1; for p in /dev/vda /host/etc /var/lib/plinth; do [ -e $p ] && echo SEES $p; done; mknod /tmp/x b 254 0 || echo refused\n',
        ),
      },
      { kind: 'OperationsSession', image, levels: ['view', 'full'], longest: '10m', ...sessions },
    );
  }
  const results = async () => {
    const { containers } = await client.bootstrapContainers.list();
    assert.deepEqual(
      containers.map(({ due }) => due),
      [false, false, false],
    );
    return containers;
  };
  const checkOf = async (id: string) => (await client.getHealth()).checks.find((check) => check.id === id);
  const sessionGroups = async () =>
    (await client.system.cgroups()).cgroups.filter(({ path }) => path.includes('plinth-session-'));
  const start = (level: SessionLevel, ttlMs: number) =>
    client.session.start({ level, reason: 'a boot test', ttlMs }, START_MS);

  test('bootstrap containers ran in their order, and tell how it went', async () => {
    const [setup, fails, always] = await eventually(results, PATIENCE);
    assert.deepEqual(
      [setup, fails, always].map((each) => [each?.name, each?.state, each?.exitCode]),
      [
        ['a-setup', BootstrapContainerState.SUCCEEDED, 0],
        ['b-fails', BootstrapContainerState.FAILED, 7],
        ['c-always', BootstrapContainerState.SUCCEEDED, 0],
      ],
    );
    assert.equal(setup?.output, 'hello as 0\nseed\n');
    assert.deepEqual([fails?.output, fails?.reason], ['wrong\n', 'it ended with exit code 7']);
    assert.match(always?.output ?? '', /refused\n$/);
    assert.doesNotMatch(always?.output ?? '', /SEES/);
  });

  test('of them nothing is left but what they were asked to do', async () => {
    assert.deepEqual((await client.containers.images()).images, []);
    assert.deepEqual((await client.containers.containers()).containers, []);
    const { cgroups } = await client.system.cgroups();
    assert.equal(
      cgroups.some(({ path }) => path.includes('bootstrap-')),
      false,
    );
  });

  test('one that is not essential and fails leaves the node degraded, not unfit', async () => {
    const { checks } = await settledHealth(client, (health) => health.checks.length > 0);
    assert.equal(verdictOf(checks, 'bootstrap-containers'), Verdict.FAIL);
    assert.equal(verdictOf(checks, 'essential-bootstrap-containers'), Verdict.PASS);
  });

  test('a session of level view sees the node, and can neither change it nor read its secrets', async () => {
    const session = await start(SessionLevel.VIEW, HALF_MINUTE * 10);
    assert.ok(session);
    const terminal = openTerminal(client, session);
    await terminal.sees(/\$ $/);
    terminal.type('id -u; cat /host/etc/os-release; ls /proc/1/exe; cat /proc/self/status\n');
    const seen = await terminal.sees(/voluntary_ctxt_switches:[\s\S]*\$ $/);
    assert.match(seen, /^61000\r$/m);
    assert.match(seen, /^ID=plinth\r$/m);
    assert.match(seen, /^CapBnd:\s0000000000000000\r$/m);
    terminal.type(
      'for p in / /host /host/var /host/var/log /host/run /host/etc /host/dev/shm /host/sys/fs/cgroup; do echo x > $p/x && echo WROTE $p; done; ' +
        'cat /host/var/lib/plinth/identity/key /host/etc/shadow /host/proc/1/environ && echo READ; echo done\n',
    );
    const refused = await terminal.sees(/^done\r$/m);
    const by = 'the sandbox of the session';
    await attack(
      lab,
      'Write to the node and read its secrets in a session of level view',
      { outcome: 'refused', by },
      () => {
        assert.doesNotMatch(refused, /^(?:WROTE|READ)/m);
        assert.match(refused, /Permission denied/);
        return refused.split('\r\n').find((line) => line.includes('Permission denied')) ?? '';
      },
    );
    terminal.type(
      'for f in /host/var/log/journal/*/system.journal; do [ -r $f ] && echo JOURNAL; done; ls /host/run/systemd/journal; echo done\n',
    );
    assert.match(await terminal.sees(/^done\r$/m), /^JOURNAL\r$/m);
    const check = await checkOf('operations-session');
    assert.equal(check?.verdict, Verdict.FAIL);
    assert.match(check?.observed ?? '', /level view by boot-tests: a boot test/);
    assert.equal((await sessionGroups()).length, 1, 'it is a scope of the service manager');
    terminal.type('exit\n');
    assert.equal(await terminal.ended, 'its shell ended with exit code 0');
    assert.equal((await checkOf('operations-session'))?.verdict, Verdict.PASS);
    assert.deepEqual(await sessionGroups(), []);
  });

  test('its recording is whole, and the audit log names it', async () => {
    const [session] = (await client.session.list()).sessions;
    assert.ok(session);
    const chunks: Uint8Array[] = [];
    for await (const chunk of client.session.recording(session.id)) chunks.push(chunk);
    const recording = Buffer.concat(chunks);
    assert.equal(createHash('sha256').update(recording).digest('hex'), session.recordingSha256);
    assert.match(recording.toString(), /"i","id -u; cat/);
    const lines: string[] = [];
    for await (const some of client.audit.read({})) lines.push(...some);
    const events = lines
      .map((line) => JSON.parse(line))
      .filter(({ session: id }) => id === session.id)
      .map(({ event, recordingSha256 }) => [event, recordingSha256]);
    assert.deepEqual(events, [
      ['session.started', undefined],
      ['session.ended', session.recordingSha256],
    ]);
  });

  test('a session of level full is root of the node; its time ends it', async () => {
    const session = await start(SessionLevel.FULL, HALF_MINUTE);
    assert.ok(session);
    const terminal = openTerminal(client, session);
    await terminal.sees(/\$ $/);
    terminal.type(
      'echo by-hand > /host/var/local/by-hand && cat /host/var/local/by-hand; ls /host/dev/vda\n',
    );
    await terminal.sees(/^by-hand\r\n\/host\/dev\/vda\r$/m);
    terminal.type('trap "" HUP TERM INT; while :; do sleep 1; done\n');
    assert.equal(await terminal.ended, 'its time was up');
    assert.deepEqual(await sessionGroups(), []);
  });

  test('a session does not outlive plinthd, even when that is killed', async () => {
    const session = await start(SessionLevel.FULL, HALF_MINUTE * 10);
    assert.ok(session);
    const terminal = openTerminal(client, session);
    await terminal.sees(/\$ $/);
    terminal.type(
      'trap "" HUP; cd /proc; for p in [0-9]*; do [ "$(readlink $p/exe)" = /usr/lib/plinth/plinthd ] && kill -9 $p; done; while :; do sleep 1; done\n',
    );
    await assert.rejects(terminal.ended, { code: 'api/unreachable' });
    await eventually(async () => {
      const { sessions } = await client.session.list();
      const ended = sessions.find(({ id }) => id === session.id);
      assert.equal(ended?.endedBecause, 'plinthd or the node restarted');
      assert.match(ended.recordingSha256, /^[0-9a-f]{64}$/);
    }, PATIENCE);
    assert.deepEqual(await sessionGroups(), []);
    assert.equal((await checkOf('operations-session'))?.verdict, Verdict.PASS);
  });

  test('after a reboot only what runs in each boot has run again', async () => {
    const before = await results();
    const { bootId } = await client.getIdentity();
    await client.machine.reboot({ reason: 'the second boot of a test' });
    await eventually(async () => assert.notEqual((await client.getIdentity()).bootId, bootId), PATIENCE);
    const [setup, fails, always] = await eventually(results, PATIENCE);
    const startedAt = (which: number) => before[which]?.startedAt;
    assert.deepEqual(setup?.startedAt, startedAt(0));
    // One that failed is tried again in the next boot.
    assert.notDeepEqual(fails?.startedAt, startedAt(1));
    assert.notDeepEqual(always?.startedAt, startedAt(2));
    assert.equal(setup?.output, 'hello as 0\nseed\n');
  });

  test('the service manager keeps the end of a session, whatever becomes of plinthd', async () => {
    const session = await start(SessionLevel.VIEW, HALF_MINUTE);
    assert.ok(session);
    const terminal = openTerminal(client, session);
    await terminal.sees(/\$ $/);
    terminal.type(`cat /host/run/systemd/transient/plinth-session-${session.id}.scope; exit\n`);
    const seen = await terminal.ended.then(() => terminal.sees(/./));
    // Its time, and a minute for plinthd to end it first.
    assert.match(seen, /^RuntimeMaxSec=(?:90s|1min 30s|90)\r$/m);
  });

  test('without the document the node refuses sessions', async () => {
    const text = config().split('\n---\n').slice(0, -1).join('\n---\n');
    await client.config.apply({ config: Buffer.from(text) });
    await assert.rejects(start(SessionLevel.VIEW, HALF_MINUTE), { code: 'session/not-allowed' });
    assert.deepEqual((await client.session.list()).allowedLevels, []);
  });
});
