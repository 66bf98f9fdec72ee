import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { checkTargets, loadKnowledge } from '../load-knowledge.ts';
import type { Json } from '../model/json.ts';
import { toKubeObject } from '../model/kube-object.ts';
import { viewPod } from '../model/pod-view.ts';
import type { CheckKnowledge } from '../run-check.ts';
import type { Target } from '../target/target.ts';
import { checkHostLabels } from './host-labels.ts';
import { checkLocalVolumes } from './storage.ts';

const OS = join(import.meta.dirname, '../../../../../os');
const TODAY = '2026-11-23';
type Selinux = NonNullable<Target['security']['selinux']>['value'];

let plinth: CheckKnowledge;
before(async () => {
  plinth = await loadKnowledge('plinth', OS, TODAY);
});

function withSelinux(known: CheckKnowledge, value: Selinux | undefined): CheckKnowledge {
  const { selinux: _, ...security } = known.target.security;
  return {
    ...known,
    target: {
      ...known.target,
      security: { ...security, ...(value && { selinux: { value, source: 'spec' } }) },
    },
  };
}

const objectOf = (value: Json) => {
  const object = toKubeObject(value, () => undefined);
  assert.ok(object);
  return object;
};

interface Mounting {
  readonly type?: string;
  readonly readOnly?: boolean;
  readonly container?: Json & object;
  readonly pod?: Json & object;
}

function found(known: CheckKnowledge, path: string, { type, readOnly, container, pod }: Mounting = {}) {
  const view = viewPod(
    objectOf({
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } },
      spec: {
        template: {
          spec: {
            ...pod,
            containers: [
              {
                ...{ name: 'c', image: 'i', ...container },
                volumeMounts: [{ name: 'v', mountPath: '/x', ...(readOnly && { readOnly }) }],
              },
            ],
            volumes: [{ name: 'v', hostPath: { path, ...(type !== undefined && { type }) } }],
          },
        },
      },
    }),
  );
  assert.ok(view);
  return checkHostLabels(view, known);
}

const severities = (...args: Parameters<typeof found>) =>
  found(...args).map(({ rule, severity }) => `${rule} ${severity}`);

describe('on a Plinth that refuses', () => {
  let known: CheckKnowledge;
  before(() => {
    known = withSelinux(plinth, 'enforcing');
  });

  for (const [what, path, mounting, expected] of [
    ['a folder that is made and written', '/var/lib/a', { type: 'DirectoryOrCreate' }, 'block'],
    ['one that is perhaps only read', '/var/lib/a', {}, 'warn'],
    ['one that is only read', '/var/lib/a', { readOnly: true }, undefined],
    ['keys of the cluster, only read', '/var/lib/kubernetes/pki', { readOnly: true }, 'block'],
    ['the same behind a link', '/etc/kubernetes/pki', { readOnly: true }, 'block'],
    ['the journal', '/var/log/journal', { readOnly: true }, 'block'],
    ['logs of pods', '/var/log/pods', { readOnly: true }, undefined],
    ['a lock file behind a link', '/var/run/xtables.lock', { type: 'FileOrCreate' }, 'block'],
    ['what everybody reads', '/etc/resolv.conf', {}, undefined],
    ['what is read-only anyway', '/usr/lib/a', {}, undefined],
    ['drivers of volumes', '/var/lib/kubelet/plugins/a', { type: 'DirectoryOrCreate' }, undefined],
    ['device plugins, whose caller must call the kubelet', '/var/lib/kubelet/device-plugins', {}, 'block'],
    ['the runtime', '/run/containerd/containerd.sock', {}, 'block'],
    ['another runtime, which PLM005 tells', '/run/docker.sock', {}, undefined],
    ['volumes of the machine config', '/var/mnt/data', {}, undefined],
    ['a place nobody looked at', '/var/tmp/a', {}, 'unknown'],
    ['processes and kernel', '/proc', {}, undefined],
  ] as const)
    test(`${what}: ${expected ?? 'nothing'}`, () => {
      assert.deepEqual(
        severities(known, path, mounting),
        expected === undefined ? [] : [`PLM009 ${expected}`],
      );
    });

  test('who is privileged, or names another domain, is not told of', () => {
    const path = '/var/lib/plinth';
    const options = { seLinuxOptions: { type: 'spc_t' } };
    for (const mounting of [
      { container: { securityContext: { privileged: true } } },
      { container: { securityContext: options } },
      { pod: { securityContext: options } },
    ])
      assert.deepEqual(severities(known, path, mounting), []);
    const own = { pod: { securityContext: { seLinuxOptions: { level: 's0:c1' } } } };
    assert.deepEqual(severities(known, path, own), ['PLM009 block']);
    // The container's own type comes before that of the pod.
    const mixed = {
      container: { securityContext: { seLinuxOptions: { type: 'container_t' } } },
      pod: { securityContext: options },
    };
    assert.deepEqual(severities(known, path, mixed), ['PLM009 block']);
  });

  test('volumes of kind "hostPath" keep the label of the host, those of kind "local" do not', () => {
    const volume = (field: string) =>
      checkLocalVolumes(
        objectOf({
          ...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'a' } },
          spec: { [field]: { path: '/var/lib/data' } },
        }),
        known,
      ).map(({ rule }) => rule);
    assert.deepEqual(volume('hostPath'), ['PLM072', 'PLM009']);
    assert.deepEqual(volume('local'), ['PLM072']);
    const config = JSON.stringify({ nodePathMap: [{ node: 'any', paths: ['/var/lib/volumes'] }] });
    const provisioner = objectOf({
      ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { 'config.json': config } },
    });
    assert.deepEqual(
      checkLocalVolumes(provisioner, known).map(({ rule, message }) => `${rule}: ${message}`),
      [
        'PLM009: makes volumes in /var/lib/volumes of the nodes, which takes no write of a pod that is not privileged: SELinux enforces on Plinth',
      ],
    );
  });
});

test('where SELinux only reports, nothing more than information', () => {
  const [finding] = found(withSelinux(plinth, 'permissive'), '/var/lib/kubernetes');
  assert.equal(finding?.severity, 'info');
  assert.match(finding?.message ?? '', /only reports/);
  for (const value of ['off', undefined] as const)
    assert.deepEqual(found(withSelinux(plinth, value), '/var/lib/kubernetes'), []);
});

test('where it enforces and nobody has read what: unknown, once for a pod', async () => {
  for (const id of await checkTargets()) {
    const known = await loadKnowledge(id, OS, TODAY);
    const { selinux, podAccess } = known.target.security;
    const expected =
      selinux?.value === 'enforcing' && podAccess === undefined ? ['PLM009 unknown host paths'] : [];
    if (id !== 'plinth')
      assert.deepEqual(
        found(known, '/var/lib/a').map(({ rule, severity, subject }) => `${rule} ${severity} ${subject}`),
        expected,
        id,
      );
  }
});
