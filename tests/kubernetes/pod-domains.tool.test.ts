import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from '@plinth/host/testing';
import { findKubernetesPrograms, PATIENCE_MS, startControlPlane } from '@plinth/image/testing';

// Which domains of SELinux a pod may name, by the layer's manifest and a real API server.

const manifest = fileURLToPath(
  new URL('../../os/kubernetes/tree/usr/share/plinth/kubernetes/manifests/pod-domains.yaml', import.meta.url),
);
const REFUSED = /seLinuxOptions\.type is a domain of the node, expected none, container_t or spc_t/;

/** Made here: in this control plane nothing makes those that pods otherwise have. */
const ACCOUNT = 'pods';

interface Options {
  readonly pod?: string;
  readonly container?: string;
  readonly init?: string;
}

function podOf(name: string, { pod, container, init }: Options) {
  const context = (type: string | undefined) =>
    type === undefined ? {} : { securityContext: { seLinuxOptions: { type } } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      serviceAccountName: ACCOUNT,
      ...context(pod),
      containers: [{ name: 'a', image: 'a', ...context(container) }],
      initContainers: [{ name: 'b', image: 'b', ...context(init) }],
    },
  };
}

for (const kubernetes of await findKubernetesPrograms()) {
  const { minor, skip } = kubernetes;

  test(`pods name no domain of the node (Kubernetes ${minor})`, {
    skip,
    timeout: 3 * PATIENCE_MS,
  }, async () => {
    await using plane = await startControlPlane(kubernetes);
    await plane.kubectl('apply', '--server-side', '--field-manager=plinth', '-f', manifest);
    for (const namespace of ['default', 'kube-system'])
      await plane.kubectl('create', 'serviceaccount', ACCOUNT, `--namespace=${namespace}`);
    let made = 0;
    const create = async (options: Options, namespace = 'default') => {
      const name = `pod-${made++}`;
      const path = plane.at(`${name}.json`);
      await writeFile(path, JSON.stringify(podOf(name, options)));
      await plane.kubectl('create', '--dry-run=server', `--namespace=${namespace}`, '-f', path);
    };
    // A policy takes effect a moment after it was made.
    await eventually(async () => assert.rejects(create({ pod: 'etcd_t' }), REFUSED), {
      patienceMs: PATIENCE_MS,
      everyMs: 1_000,
    });
    for (const type of ['session_full_t', 'kube_apiserver_t', 'container_kvm_t', 'plinthd_t'])
      for (const options of [{ pod: type }, { container: type }, { init: type }])
        await assert.rejects(create(options), REFUSED, JSON.stringify(options));
    for (const options of [{}, { pod: 'container_t' }, { container: 'spc_t' }]) await create(options);
    await create({ pod: 'flannel_t' }, 'kube-system');
  });
}
