import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { type MachineConfig, renderConfig } from '@plinth/config';
import { scratchFolder } from '@plinth/host/testing';
import { findKubernetesPrograms, openProgramSet } from '@plinth/image/testing';
import { parse, stringify } from 'yaml';
import { kubeletConfiguration } from '../../kubernetes/render/kubelet-config.ts';
import { cannotIsolate } from '../../testing/isolated-plinthd.ts';

// The kubelets of the layers read Plinth's configuration with ours above it. They run without rights over this machine
// and end where a client for the cluster is missing, which is after every check of the configuration.

const SOUND = 'no client provided, cannot use webhook authentication';

const cluster = {
  name: 'test',
  podNetwork: '10.244.0.0/16',
  serviceNetwork: '10.96.0.0/16',
  dnsDomain: 'cluster.local',
  controlPlanesTakeWorkloads: false,
  apiServerNames: [],
};

type Kubelet = NonNullable<MachineConfig['kubelet']>;

const least: Kubelet = {
  maxPods: 1,
  podPidsLimit: 128,
  systemReserved: { cpu: '1m', memory: '1Ki', 'ephemeral-storage': '1Ki' },
  evictionHard: { 'memory.available': '1Ki', 'nodefs.available': '0.01%', 'imagefs.inodesFree': '1%' },
  imageGCHighThresholdPercent: 1,
  imageGCLowThresholdPercent: 0,
  imageMinimumGCAge: '1s',
  imageMaximumGCAge: '1m',
  shutdownGracePeriod: '1s',
  shutdownGracePeriodCriticalPods: '1s',
  containerLogMaxSize: '1Ki',
  containerLogMaxFiles: 2,
};

const most: Kubelet = {
  maxPods: 250,
  podPidsLimit: 1_048_576,
  systemReserved: { cpu: '64', memory: '512Gi', 'ephemeral-storage': '2Ti' },
  evictionHard: { 'memory.available': '99%', 'nodefs.available': '99.99%', 'nodefs.inodesFree': '50%' },
  imageGCHighThresholdPercent: 100,
  imageGCLowThresholdPercent: 99,
  imageMinimumGCAge: '24h',
  imageMaximumGCAge: '8760h',
  shutdownGracePeriod: '30m',
  shutdownGracePeriodCriticalPods: '30m',
  containerLogMaxSize: '1Ti',
  containerLogMaxFiles: 100,
};

function textOf(kubelet: Kubelet): readonly [name: string, text: string] {
  const config = {
    machine: { name: 'node-1' },
    api: { clientAuthorities: [] },
    bootstrapContainers: [],
    volumes: [],
    kubelet,
  };
  const file = renderConfig(config).find(({ path }) => path.includes('kubelet'));
  return [basename(file?.path ?? ''), file?.text ?? ''];
}

for (const kubernetes of await findKubernetesPrograms()) {
  const skip = kubernetes.skip || cannotIsolate();

  /** What a kubelet says of a file above Plinth's configuration. */
  const ask = async ([name, text]: readonly [string, string]): Promise<string> => {
    await using set = await openProgramSet(kubernetes);
    const folder = await scratchFolder('kubelet');
    const dropIns = join(folder, 'conf.d');
    await mkdir(dropIns);
    await writeFile(join(dropIns, name), text);
    // A file that is not whole yet.
    await writeFile(join(dropIns, `.${name}.plinth`), 'apiVersion: ');
    // This machine may still have the older control groups; a node never has.
    const base = { ...kubeletConfiguration(cluster), failCgroupV1: false };
    await writeFile(join(folder, 'config.yaml'), stringify(base));
    const args = [`--config=${join(folder, 'config.yaml')}`, `--config-dir=${dropIns}`];
    const { stderr } = spawnSync('unshare', ['--user', '--net', '--mount', set.at('kubelet'), ...args], {
      encoding: 'utf8',
      timeout: 60_000,
      env: {},
    });
    return stderr;
  };

  test(`the kubelet of Kubernetes ${kubernetes.minor} takes the least and the most of every field`, {
    skip,
    timeout: 120_000,
  }, async () => {
    for (const kubelet of [least, most]) {
      const said = await ask(textOf(kubelet));
      assert.match(said, new RegExp(SOUND));
      // Those after 1.36 tell what they go by, as YAML indented by a tab.
      const [, told] = /"Effective KubeletConfiguration" config=<\n((?:\t.*\n)+)/.exec(said) ?? [];
      if (told === undefined) {
        assert.equal(kubernetes.minor, '1.36');
        continue;
      }
      const effective = parse(told.replaceAll(/^\t/gm, '')) as Record<string, unknown>;
      const { evictionHard, ...simple } = parse(textOf(kubelet)[1]) as Record<string, unknown>;
      const inSeconds = (value: unknown) => JSON.stringify(value).replaceAll(/"(\d+[hms])+"/g, asSeconds);
      assert.equal(inSeconds({ ...effective, ...simple }), inSeconds(effective));
      assert.deepEqual(effective['evictionHard'], evictionHard);
      // What protects the node is as the cluster has it.
      assert.equal(effective['readOnlyPort'] ?? 0, 0);
      assert.deepEqual(effective['authorization'], {
        ...(effective['authorization'] as object),
        mode: 'Webhook',
      });
    }
  });

  test(`the kubelet of Kubernetes ${kubernetes.minor} would say so if a value were wrong`, {
    skip,
    timeout: 120_000,
  }, async () => {
    const [name, text] = textOf({ maxPods: 10 });
    assert.match(await ask([name, text.replace('maxPods: 10', 'maxPods: -1')]), /maxPods/);
    assert.match(
      await ask([name, text.replace('maxPods: 10', 'imageGCHighThresholdPercent: 101')]),
      /imageGC/,
    );
  });
}

/** Kubernetes writes "2m" as "2m0s". */
function asSeconds(text: string): string {
  const factors: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
  let seconds = 0;
  for (const [, count, unit = ''] of text.matchAll(/(\d+)([hms])/g))
    seconds += Number(count) * (factors[unit] ?? 0);
  return String(seconds);
}
