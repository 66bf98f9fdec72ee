import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { removeTree } from '@plinth/host';
import { type ArchiveRegistry, serveArchive } from '../testkit/archive-registry.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { type FleetCluster, openFleetCluster } from '../testkit/fleet-cluster.ts';
import { joinConfig } from '../testkit/owner.ts';
import { openPlinthCli, type PlinthCli } from '../testkit/plinth-cli.ts';
import { makeRelease } from '../testkit/updates/make-release.ts';
import { badRecipes, good } from '../testkit/updates/recipes.ts';
import { openUpdateLab, type UpdateLab } from '../testkit/updates/update-lab.ts';
import { watcher, webWorkload } from '../testkit/workload.ts';

// The operator as pods of a real cluster that updates its own workers: one control plane, two workers, booted machines. The
// tests follow on one another; without KVM all of it takes more than an hour.

const CLUSTER = 'fleet';
const CONTROL_PLANE = `${CLUSTER}-cp-1`;
const WORKERS = [`${CLUSTER}-worker-1`, `${CLUSTER}-worker-2`];
const [GOOD, BAD] = ['0.2.0', '0.3.0'] as const;

suite('the operator in a cluster of machines', () => {
  let folder: string;
  let lab: BootLab;
  let plinth: PlinthCli;
  let updates: UpdateLab;
  let fleet: FleetCluster;
  let registry: ArchiveRegistry | undefined;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-fleet-'));
    lab = await openBootLab();
    plinth = openPlinthCli(folder);
    updates = await openUpdateLab(lab);
    fleet = openFleetCluster(plinth, join(folder, 'state', 'clusters', CLUSTER, 'kubeconfig'));
  });
  after(async () => {
    await plinth.run(['cluster', 'destroy', CLUSTER, '--confirm', CLUSTER]);
    await registry?.[Symbol.asyncDispose]();
    await updates?.[Symbol.asyncDispose]();
    await lab?.[Symbol.asyncDispose]();
    await removeTree(folder);
  });

  test('its nodes read one repository and one registry', async () => {
    await plinth.print('up', CLUSTER, '--workers', '2');
    const archive = join(folder, 'fleet.tar');
    await plinth.print('fleet', 'image', '-O', archive);
    registry = await serveArchive(archive, join(folder, 'image'));
    const policy = { kind: 'UpdatePolicy', channel: 'stable', sources: [updates.address] };
    for (const node of [CONTROL_PLANE, ...WORKERS]) {
      const path = join(folder, `${node}.yaml`);
      const now = await plinth.print('config', 'show', '--context', node);
      await writeFile(path, joinConfig(now, registry.document, policy));
      await plinth.print('apply', path, '--context', node, '--yes', '--reason', 'updates by the operator');
    }
  });

  test('the operator runs as pods, and knows each node by its key', async () => {
    await plinth.print('fleet', 'install', '--image', registry?.image ?? '', ...fleet.kubeconfig);
    await plinth.kubectl([
      'rollout',
      'status',
      'deployment/plinth-fleet',
      '-n',
      'plinth-fleet',
      '--timeout=1200s',
    ]);
    await fleet.until('every node is known', async () => {
      const versions = await fleet.versions();
      return WORKERS.every((node) => versions.get(node) === lab.release.version);
    });
  });

  test('a real update, one worker after the other, the operator killed in each phase: a Deployment with a disruption budget loses no request', async () => {
    await plinth.kubectl(['apply', '-f', '-'], webWorkload(2, { disruptionBudget: true }));
    await plinth.kubectl(['rollout', 'status', 'deployment/web', '--timeout=1200s']);
    await plinth.kubectl(
      ['apply', '-f', '-'],
      watcher(CONTROL_PLANE, 'http://web.default.svc.cluster.local/'),
    );
    await plinth.kubectl(['wait', '--for=condition=Ready', 'pod/watcher', '--timeout=600s']);
    await fleet.until('it asks', async () => (await asked()).answered > 10);
    const boots = await fleet.bootIds();
    await offer(GOOD);
    const killed = new Set<string>();
    let mostAway = 0;
    await fleet.until(`the workers run ${GOOD}`, async () => {
      const phases = await fleet.phases();
      mostAway = Math.max(mostAway, (await fleet.away()).length);
      for (const phase of phases.values()) {
        if (killed.has(phase) || ['', 'Idle', 'Queued', 'Done'].includes(phase)) continue;
        killed.add(phase);
        await fleet.killLeader();
      }
      const versions = await fleet.versions();
      return WORKERS.every(
        (node) => versions.get(node) === GOOD && ['Idle', 'Done'].includes(phases.get(node) ?? ''),
      );
    });
    const ends = await fleet.bootIds();
    assert.ok(mostAway <= 1, `${mostAway} nodes were away at the same time`);
    assert.equal(ends.get(CONTROL_PLANE), boots.get(CONTROL_PLANE), 'the control plane was not started');
    for (const node of WORKERS) assert.notEqual(ends.get(node), boots.get(node));
    assert.ok(killed.size >= 4, `killed in ${[...killed].join(', ')}`);
    const { answered, failures } = await asked();
    assert.deepEqual(failures, [], `of ${answered}`);
  });

  test('a bad release is left by its canary, halts, and goes no further', async () => {
    const boots = await fleet.bootIds();
    await offer(BAD);
    await fleet.until('the rollout is halted', async () => (await fleet.rolloutPhase()) === 'Halted');
    await fleet.until('its node is back', async () => (await fleet.away()).length === 0);
    const versions = await fleet.versions();
    for (const node of WORKERS) assert.equal(versions.get(node), GOOD);
    const ends = await fleet.bootIds();
    assert.equal(WORKERS.filter((node) => ends.get(node) !== boots.get(node)).length, 1);
    assert.deepEqual((await asked()).failures, []);
  });

  /** Publishes a release, and gives it to the policy of the workers. */
  async function offer(version: string): Promise<void> {
    const recipe = version === BAD ? badRecipes.kernelPanics(BAD) : good(version);
    const built = await makeRelease(lab, recipe);
    await updates.publish(recipe);
    const reference = JSON.parse(
      await readFile(join(built, `plinth_${version}_x86-64.reference.json`), 'utf8'),
    );
    await fleet.offer(version, reference.rootHash);
  }

  /** What the watcher has to say: how often it was answered, and what went wrong. */
  async function asked(): Promise<{ answered: number; failures: string[] }> {
    const lines = (await plinth.kubectl(['logs', 'watcher'])).trim().split('\n');
    const counts = lines.flatMap((line) => /^asked (\d+) failed (\d+)$/.exec(line) ?? []);
    return {
      answered: Number(counts.at(-2) ?? 0) - Number(counts.at(-1) ?? 0),
      failures: lines.filter((line) => !line.startsWith('asked ')),
    };
  }
});
