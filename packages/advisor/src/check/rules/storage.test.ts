import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { loadKnowledge } from '../load-knowledge.ts';
import type { Json } from '../model/json.ts';
import { toKubeObject } from '../model/kube-object.ts';
import { viewPod } from '../model/pod-view.ts';
import type { CheckKnowledge } from '../run-check.ts';
import { checkAgents } from './agents.ts';
import type { RawFinding } from './rule.ts';
import { checkLocalData, checkLocalVolumes } from './storage.ts';

const OS = join(import.meta.dirname, '../../../../../os');
let plinth: CheckKnowledge;
before(async () => {
  plinth = await loadKnowledge('plinth', OS, '2026-11-22');
});

function objectOf(value: Json) {
  const object = toKubeObject(value, () => undefined);
  assert.ok(object);
  return object;
}

function podOf(kind: string, spec: Json) {
  const pod = viewPod(
    objectOf({ apiVersion: 'apps/v1', kind, metadata: { name: 'a' }, spec: { template: { spec } } }),
  );
  assert.ok(pod);
  return pod;
}

const subjects = (findings: readonly RawFinding[]) =>
  findings.map(({ rule, subject }) => `${rule} ${subject}`);
const mounting = (image: string, path: string) => ({
  containers: [{ name: 'c', image, volumeMounts: [{ name: 'v', mountPath: '/x' }] }],
  volumes: [{ name: 'v', hostPath: { path } }],
});

test('a daemon keeps what belongs to its node, a storage driver data of workloads', () => {
  const driver = podOf('DaemonSet', mounting('longhornio/longhorn-manager:v1.7.0', '/var/lib/longhorn/'));
  assert.deepEqual(subjects(checkLocalData(driver, plinth)), ['PLM072 /var/lib/longhorn/']);
  const elsewhere = podOf('DaemonSet', mounting('longhornio/longhorn-manager:v1.7.0', '/var/lib/kubelet'));
  assert.deepEqual(checkLocalData(elsewhere, plinth), []);
  const another = podOf('DaemonSet', mounting('example.org/agent', '/var/lib/longhorn/'));
  assert.deepEqual(checkLocalData(another, plinth), []);
});

test('the part of a storage driver that touches nothing of the host is not told of', () => {
  const deployer = podOf('Deployment', {
    containers: [{ name: 'c', image: 'longhornio/longhorn-manager:v1.7.0' }],
  });
  assert.deepEqual(checkAgents(deployer, plinth), []);
  const daemon = podOf('DaemonSet', {
    containers: [{ name: 'c', image: 'longhornio/longhorn-manager:v1.7.0' }],
  });
  assert.deepEqual(subjects(checkAgents(daemon, plinth)), ['PLM041 iscsi']);
});

test('the settings of local-path-provisioner are held against the paths of the target', () => {
  const settings = (text: string) =>
    checkLocalVolumes(
      objectOf({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a' },
        data: { 'config.json': text },
      }),
      plinth,
    );
  const folders = (...paths: string[]) => JSON.stringify({ nodePathMap: [{ node: 'n', paths }] });
  assert.deepEqual(
    subjects(settings(folders('/opt/local-path-provisioner', '/var/lib/local', '/var/mnt/a'))),
    ['PLM002 /opt/local-path-provisioner', 'PLM009 /var/lib/local'],
  );
  assert.deepEqual(subjects(settings(folders('/usr/lib', '/etc/volumes', '/etc/volumes'))), [
    'PLM001 /usr/lib',
    'PLM003 /etc/volumes',
  ]);
  assert.deepEqual(settings('{ "nodePathMap": broken'), []);
  assert.deepEqual(settings('{ "nodePathMap": { "paths": 1 } }'), []);
});
