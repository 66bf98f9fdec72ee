import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { removeTree } from '@plinth/host';
import { eventually } from '@plinth/host/testing';
import { type ArchiveRegistry, serveArchive } from '../testkit/archive-registry.ts';
import { attack } from '../testkit/attack-report.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import {
  buildEscapes,
  type Escape,
  HOSTILE,
  hostilePod,
  ORDINARY,
  PRIVILEGED,
  recordOf,
  TRUSTED_WITH,
} from '../testkit/hostile-pods.ts';
import { joinConfig } from '../testkit/owner.ts';
import { openPlinthCli, type PlinthCli } from '../testkit/plinth-cli.ts';
import { REFUSAL } from '../testkit/refusals.ts';

// Pods that want out, on a node that is the control plane as well, so that all there is to take is there. The ordinary one is
// lent everything that a pod can be lent; the other is privileged too. What each attempt comes to stands in attack-report.md.

const CLUSTER = 'hostile';
const PATIENCE = { patienceMs: 600_000, everyMs: 5_000 };

suite('pods that want out of their containers', () => {
  let folder: string;
  let lab: BootLab;
  let plinth: PlinthCli;
  let registry: ArchiveRegistry | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-hostile-'));
    lab = await openBootLab();
    plinth = openPlinthCli(folder);
    registry = await serveArchive(await buildEscapes(folder), join(folder, 'image'));
    await plinth.print('up', CLUSTER);
    const path = join(folder, 'node.yaml');
    const now = await plinth.print('config', 'show', '--context', CLUSTER);
    await writeFile(path, joinConfig(now, registry.document));
    await plinth.print('apply', path, '--context', CLUSTER, '--yes', '--reason', 'an image of hostile pods');
    await plinth.kubectl(['create', 'namespace', HOSTILE]);
    await plinth.kubectl([
      ...['label', 'namespace', HOSTILE],
      'pod-security.kubernetes.io/enforce=privileged',
    ]);
  });
  after(async () => {
    await plinth?.run(['cluster', 'destroy', CLUSTER, '--confirm', CLUSTER]);
    await registry?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
    await removeTree(folder);
  });

  const pod = (name: string, attempts: readonly { readonly name: string }[], privileged: boolean) =>
    hostilePod(
      name,
      registry?.image ?? '',
      attempts.map((each) => each.name),
      privileged,
    );

  /** What the attempts of a pod came to, by their names. */
  async function run(name: string, attempts: readonly { readonly name: string }[], privileged: boolean) {
    await plinth.kubectl(['apply', '-f', '-'], pod(name, attempts, privileged));
    return eventually(async () => {
      const path = ['get', 'pod', name, '-n', HOSTILE, '-o', 'jsonpath={.status.phase}'];
      assert.equal(await plinth.kubectl(path), 'Succeeded', `${name} has ended well`);
      const said = await plinth.kubectl(['logs', name, '-n', HOSTILE]);
      return new Map(
        [...said.matchAll(/^attempt (\S+): (.*)$/gm)].map(([, attempt = '', end = '']) => [attempt, end]),
      );
    }, PATIENCE);
  }

  const refusals = async () =>
    (
      await plinth.print(
        ...['logs', '--boot', '0', '--lines', 'all', '--grep', REFUSAL, '--context', CLUSTER],
      )
    ).split('\n');

  async function judge(title: string, escapes: readonly Escape[], ends: ReadonlyMap<string, string>) {
    const failures: unknown[] = [];
    for (const { name, what, by, refusal, said } of escapes)
      await attack(lab, `${title}: ${what}`, { outcome: 'refused', by }, async () => {
        assert.match(ends.get(name) ?? 'not tried', /^refused: /, name);
        if (said !== undefined) assert.equal(ends.get(name), `refused: ${said}`, name);
        if (refusal === undefined) return ends.get(name) ?? '';
        // The kernel's log comes to the journal in its own time.
        return eventually(
          async () => {
            const line = (await refusals()).find((each) => recordOf(refusal).test(each));
            assert.ok(line, `${name} is not among the refusals`);
            return line.slice(line.indexOf('avc:'));
          },
          { patienceMs: 30_000, everyMs: 5_000 },
        );
      }).catch((reason: unknown) => failures.push(reason));
    // All of them are tried and told before the first that came out otherwise ends the test.
    if (failures.length > 0) throw new AggregateError(failures, `${failures.length} came out otherwise`);
  }

  test('one that is lent everything but privilege gets at nothing of the node', async () => {
    await judge('Pod with all that is lent', ORDINARY, await run('ordinary', ORDINARY, false));
  });

  test('one that is privileged gets at no secret of the node; what it is trusted with is told', async () => {
    const ends = await run('privileged', [...PRIVILEGED, ...TRUSTED_WITH], true);
    for (const { name, what } of TRUSTED_WITH)
      await attack(
        lab,
        `Privileged pod: ${what}`,
        { outcome: 'succeeded', by: 'nobody: who makes one is trusted with the node' },
        () => {
          assert.equal(ends.get(name), 'succeeded', name);
          return 'as ADR 0044 says';
        },
      );
    await judge('Privileged pod', PRIVILEGED, ends);
  });

  test('one that names a domain of the node is refused by the API server', async () => {
    for (const type of ['etcd_t', 'session_full_t', 'kube_apiserver_t'])
      await attack(
        lab,
        `Pod that names the domain ${type}`,
        { outcome: 'refused', by: 'the API server (plinth-pod-domains)' },
        async () => {
          const object = JSON.parse(pod(`domain-${type.replaceAll('_', '-')}`, ORDINARY.slice(0, 1), false));
          object.spec.securityContext = { seLinuxOptions: { type } };
          return refusedBy(object, /seLinuxOptions\.type is a domain of the node/);
        },
      );
  });

  test('in a namespace of no label nothing of the host is lent', async () => {
    const object = JSON.parse(pod('unlabelled', ORDINARY.slice(0, 1), true));
    object.metadata.namespace = 'default';
    await attack(
      lab,
      'Privileged pod in a namespace that nobody labelled',
      { outcome: 'refused', by: 'the API server (PodSecurity)' },
      () => refusedBy(object, /violates PodSecurity "baseline:latest"/),
    );
  });

  test('the node is what it was', async () => {
    const { verdict } = (await plinth.json('get', 'integrity', '--context', CLUSTER)) as { verdict?: string };
    assert.match(String(verdict), /pass/i);
  });

  /** @returns what the API server said */
  async function refusedBy(object: object, words: RegExp): Promise<string> {
    const { exitCode, stderr } = await plinth.run(['kubectl', 'apply', '-f', '-'], {
      input: JSON.stringify(object),
    });
    assert.notEqual(exitCode, 0);
    assert.match(stderr, words);
    return stderr.trim().split('\n').at(-1) ?? '';
  }
});
