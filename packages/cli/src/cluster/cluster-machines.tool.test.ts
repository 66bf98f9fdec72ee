import assert from 'node:assert/strict';
import { mkdtemp, readFile, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { PlinthError, silentProgress } from '@plinth/base';
import { parseConfig } from '@plinth/config';
import { removeTree } from '@plinth/host';
import { type ClusterRecord, changeCluster, findMachine, growCluster, listMachines } from '@plinth/local';
import { openToolbox } from '@plinth/toolbox';
import { initKeys, loadKeys } from '@plinth/trust';
import { destroyCluster, stopCluster } from '../flows/stop-cluster.ts';
import { takeDown } from '../flows/take-down.ts';
import type { CommandContext } from '../framework/context.ts';
import { createStyle } from '../output/style.ts';
import { clusterActs } from './cluster-acts.ts';
import type { ClusterActs } from './lead-cluster.ts';

/** Real machines with an empty disk: everything of a cluster's machines but a system that boots. */
suite('the machines of a cluster', () => {
  let folder: string;
  let record: ClusterRecord;
  let acts: ClusterActs;
  let context: CommandContext;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-cluster-'));
    // Machines and clusters are found by the environment of the process.
    process.env['PLINTH_STATE_DIR'] = join(folder, 'state');
    process.env['PLINTH_ACCEL'] = 'tcg';
    const env = {
      PLINTH_CONFIG_DIR: join(folder, 'config'),
      PLINTHCONFIG: join(folder, 'config', 'contexts'),
    };
    context = {
      ...{ progress: silentProgress, signal: new AbortController().signal, env, style: createStyle(false) },
      ...{ writeOut: () => {}, say: () => {}, confirm: async () => undefined },
      ...{ format: 'table', isTerminal: false },
      suspendProgress: (work) => work(),
    };
    const keyFolder = join(folder, 'keys');
    await initKeys(keyFolder, {});
    const [diskPath, layer] = [join(folder, 'disk.raw'), join(folder, 'layer.raw')];
    for (const path of [diskPath, layer]) {
      await writeFile(path, '');
      await truncate(path, 1024 ** 2);
    }
    record = await changeCluster('c', (before_, others) =>
      growCluster(
        before_,
        others,
        { ...{ name: 'c', workers: 1, memoryMiB: 256, cpus: 1 }, kubernetesVersion: '1.37.1' },
        { now: new Date(), random: Uint8Array.of(255, 7, 46, 9) },
      ),
    );
    acts = clusterActs(
      {
        ...{ record, keyFolder, secureBoot: false, actTimeoutMs: 1_000 },
        built: { keys: await loadKeys(keyFolder, {}), toolbox: await openToolbox(), image: { diskPath } },
        layers: [{ version: '1.37.1', path: layer }],
      },
      context,
    );
  });

  after(async () => {
    if (record) await destroyCluster('c', context).catch(() => {});
    await removeTree(folder);
  });

  test('start with card, layers and ports; a machine that does not boot says so', async () => {
    for (const member of record.members) {
      const starting = acts.start(member, silentProgress);
      await assert.rejects(
        starting,
        (error) => error instanceof PlinthError && error.code === 'vm/firmware-refused',
      );
    }
    const [control, worker] = await listMachines();
    assert.deepEqual([control?.name, worker?.name], ['c-cp-1', 'c-worker-1']);
    assert.ok(control?.record.kubernetesPort);
    assert.equal(worker?.record.kubernetesPort, undefined);
    const config = parseConfig(await readFile(join(control?.folder ?? '', 'machine-config.yaml')), 'config');
    assert.ok(config.ok);
    assert.deepEqual(
      config.value.network?.interfaces.map(({ mac, addresses }) => ({ mac, addresses })),
      [{ mac: '52:54:00:05:00:0b', addresses: ['10.5.0.11/24'] }],
    );
    const commandLine = (await readFile(`/proc/${control?.record.qemu.pid}/cmdline`, 'utf8')).split('\0');
    assert.ok(commandLine.includes('socket,id=cluster,mcast=239.255.7.46:20900,localaddr=127.0.0.1'));
    assert.ok(commandLine.some((word) => word.endsWith('serial=kubernetes-1.37.1')));
  });

  test('are seen as they are: running without an answer, paused, stopped', async () => {
    const seen = async () => (await acts.observe()).map(({ machine, node }) => [machine, node]);
    assert.deepEqual(await seen(), [
      ['running', undefined],
      ['running', undefined],
    ]);
    await stopCluster('c', context, 0);
    assert.deepEqual(await seen(), [
      ['stopped', undefined],
      ['stopped', undefined],
    ]);
  });

  test('keep their ports when they start again, and one is never removed alone', async () => {
    const [first] = record.members;
    assert.ok(first);
    const { apiPort, kubernetesPort } = (await findMachine(first.name)).record;
    await assert.rejects(acts.start(first, silentProgress));
    const again = (await findMachine(first.name)).record;
    assert.deepEqual([again.apiPort, again.kubernetesPort], [apiPort, kubernetesPort]);
    await assert.rejects(takeDown(first.name, true, context), { code: 'cli/usage' });
    assert.deepEqual((await takeDown('c', true, context)).machines, ['c-cp-1', 'c-worker-1']);
    assert.deepEqual(await listMachines(), []);
  });
});
