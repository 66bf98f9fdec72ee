import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { type NodeClient, SessionLevel, Verdict } from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import { attack } from '../testkit/attack-report.ts';
import { type BootedImage, bootImage, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { type ImageRegistry, startImageRegistry } from '../testkit/image-registry.ts';
import { failing, settledHealth } from '../testkit/node-answers.ts';
import { joinConfig } from '../testkit/owner.ts';
import { REFUSAL } from '../testkit/refusals.ts';
import { openTerminal } from '../testkit/session-terminal.ts';

// SELinux refuses, and nothing of the node needs what it refuses; root of the node, by a session of level full, cannot
// turn it off and is no plinthd.

const NODE = 'selinux';
const PATIENCE = { patienceMs: 300_000, everyMs: 2_000 };
const START_MS = 300_000;

/** What root of the node tries, and the four parts of the refusal: who, which act, on what kind, of which class. */
const ATTEMPTS = [
  {
    name: 'off',
    what: 'root of the node turns SELinux off',
    command: 'echo 0 > /host/sys/fs/selinux/enforce',
    refusal: ['session_full_t', 'setenforce', 'security_t', 'security'],
  },
  {
    name: 'policy',
    what: 'root of the node loads another policy of SELinux',
    command: 'echo other > /host/sys/fs/selinux/load',
    refusal: ['session_full_t', 'load_policy', 'security_t', 'security'],
  },
  {
    name: 'domain',
    what: 'root of the node becomes plinthd for SELinux',
    command: 'echo system_u:system_r:plinthd_t:s0 > /proc/self/attr/current',
    refusal: ['session_full_t', 'setcurrent', 'session_full_t', 'process'],
  },
] as const;

suite('SELinux', () => {
  let lab: BootLab;
  let registry: ImageRegistry;
  let booted: BootedImage;
  let client: NodeClient;

  before(async () => {
    lab = await openBootLab({ refusals: [/scontext=\S+:session_full_t:/] });
    registry = await startImageRegistry(lab);
    const { image, document } = registry;
    booted = await bootImage(lab, NODE, {
      title: 'SELinux refuses',
      expected: 'healthy, with nothing refused',
      spec: {
        machineConfig: joinConfig(lab.owner.machineConfig(NODE), document, {
          ...{ kind: 'OperationsSession', image, levels: ['full'], longest: '10m' },
        }),
      },
    });
    client = lab.owner.connect(endpointOf(booted));
  });
  after(async () => {
    client?.close();
    await registry?.[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  async function refusals(): Promise<string[]> {
    const found: string[] = [];
    for await (const entries of client.logs.read({ boot: 0, grep: REFUSAL }))
      found.push(...entries.map(({ message }) => message));
    return found;
  }

  test('enforces a policy, and every program has a domain of its own', async () => {
    const { checks } = await client.getIntegrity();
    const mode = checks.find(({ id }) => id === 'selinux');
    assert.deepEqual([mode?.verdict, mode?.observed], [Verdict.PASS, 'policy loaded, enforcing']);
    assert.equal(checks.find(({ id }) => id === 'selinux-domains')?.verdict, Verdict.PASS);
  });

  test('has refused nothing of a boot that came to its end', async () => {
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
    assert.deepEqual(await refusals(), []);
  });

  test('is not turned off by root of the node; the log names who was refused what', async () => {
    const session = await client.session.start(
      { level: SessionLevel.FULL, reason: 'a boot test', ttlMs: 600_000 },
      START_MS,
    );
    assert.ok(session);
    const terminal = openTerminal(client, session);
    await terminal.sees(/\$ $/);
    for (const { name, command } of ATTEMPTS)
      terminal.type(`if ( ${command} ); then echo ${name} "worked"; else echo ${name} "refused"; fi\n`);
    terminal.type('cat /host/sys/fs/selinux/enforce; echo; echo all "tried"\n');
    const seen = await terminal.sees(/^all tried\r$/m);
    for (const { name } of ATTEMPTS) assert.match(seen, new RegExp(`^${name} refused\\r$`, 'm'));
    terminal.type('exit\n');
    await terminal.ended;
    for (const { what, refusal } of ATTEMPTS) {
      const [who, act, kind, tclass] = refusal;
      const record = new RegExp(
        `\\{[^}]*\\b${act}\\b[^}]*\\}.* scontext=\\S+:${who}:\\S+ tcontext=\\S+:${kind}:\\S+ tclass=${tclass} permissive=0`,
      );
      await attack(lab, what, { outcome: 'refused', by: 'SELinux' }, () =>
        // The kernel's log comes to the journal in its own time.
        eventually(async () => {
          const found = await refusals();
          const line = found.find((each) => record.test(each));
          assert.ok(line, `not among the refusals:\n${found.join('\n')}`);
          return line;
        }, PATIENCE),
      );
    }
    const { checks } = await client.getIntegrity();
    assert.equal(checks.find(({ id }) => id === 'selinux')?.verdict, Verdict.PASS);
  });
});
