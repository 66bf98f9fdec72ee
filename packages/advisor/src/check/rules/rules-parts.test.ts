import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { loadKnowledge } from '../load-knowledge.ts';
import { toKubeObject } from '../model/kube-object.ts';
import { viewPod } from '../model/pod-view.ts';
import type { CheckKnowledge } from '../run-check.ts';
import { checkAgents, isInRange, splitImage } from './agents.ts';
import { selects } from './cluster-rules.ts';
import { checkHostPaths } from './host-paths.ts';
import { agentsSchema } from './knowledge.ts';
import { hostProgramsIn } from './scripts.ts';

// Parts of rules that have more cases than one.

const OS = join(import.meta.dirname, '../../../../../os');
let plinth: CheckKnowledge;
before(async () => {
  plinth = await loadKnowledge('plinth', OS, '2026-11-22');
});

test('programs of the host, however a script enters it', () => {
  const cases: readonly (readonly [script: string, ...programs: string[]])[] = [
    ['nsenter -t 1 -m -- systemctl restart kubelet', 'systemctl'],
    ['nsenter --target=1 --mount --net /usr/bin/journalctl -f', 'journalctl'],
    ['nsenter -at 1 -- sh -c "ls"', 'sh'],
    ['/usr/bin/nsenter --target 1 -m -u -n -i\n', 'sh'],
    ['exec chroot /host /bin/bash -c "apt update"', 'bash'],
    ['chroot $ROOT modprobe br_netfilter && chroot "$HOST_ROOT" sysctl -a', 'modprobe', 'sysctl'],
    ['chroot --userspec=1 /host env iscsiadm', 'iscsiadm'],
    ['# chroot /host sh'],
    ['echo about; # nsenter -t 1 sh'],
    ['chrooted and nsentered are words'],
  ];
  for (const [script, ...programs] of cases)
    assert.deepEqual(
      hostProgramsIn(script).map(({ program }) => program),
      programs,
      script,
    );
});

test('what is said of an agent can depend on its version: Falco drives itself without headers from 0.38.0 on', () => {
  const found = (image: string) => {
    const object = toKubeObject(
      {
        ...{ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'falco' } },
        spec: { template: { spec: { containers: [{ name: 'falco', image }] } } },
      },
      () => undefined,
    );
    const pod = object && viewPod(object);
    assert.ok(pod);
    return checkAgents(pod, plinth).map(({ severity, subject }) => `${severity} ${subject}`);
  };
  const loader = 'docker.io/falcosecurity/falco-driver-loader';
  assert.deepEqual(found(`${loader}:0.37.1`), ['block falco-module']);
  assert.deepEqual(found(`${loader}:0.38.0`), ['warn falco-module']);
  // Without a version it is what its needs tell.
  assert.deepEqual(found(`${loader}:latest`), ['block falco-module']);
  assert.deepEqual(found('falcosecurity/falco:0.37.1-debian'), ['warn falco']);
  assert.deepEqual(found('falcosecurity/falco:0.38.0'), []);
});

test('an image is split at its tag, not at the port of its registry', () => {
  assert.deepEqual(splitImage('example.org:5000/a/b:v1@sha256:abc'), {
    repository: 'example.org:5000/a/b',
    tag: 'v1',
  });
  assert.deepEqual(splitImage('example.org:5000/a/b'), { repository: 'example.org:5000/a/b', tag: '' });
  assert.deepEqual(splitImage(''), { repository: '', tag: '' });
});

test('versions are compared by numbers; what is no version is in no range', () => {
  assert.ok(isInRange('v1.10.0', '>=1.9.3'));
  assert.ok(!isInRange('1.9', '>=1.9.3'));
  assert.ok(isInRange('1.9.3', '>=1.9.3'));
  assert.ok(isInRange('0.34.9-debian', '<0.35'));
  assert.ok(!isInRange('latest', '<0.35'));
  assert.ok(isInRange('latest', undefined));
});

test('what is said of a version comes before what its needs tell, and holds for that version only', () => {
  const { agents } = agentsSchema.parse({
    agents: [
      {
        ...{
          id: 'a',
          name: 'A',
          kind: 'agent',
          images: ['x/a'],
          advice: 'none',
          needs: { programs: ['sh'] },
        },
        source: { title: 't', read: '2026-11-22' },
        states: [
          {
            target: 'plinth',
            state: 'works',
            versions: '>=2.0',
            note: 'n',
            source: { title: 't', read: '2026-11-22' },
          },
        ],
      },
    ],
  });
  const found = (image: string) => {
    const object = toKubeObject(
      { apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ name: 'c', image }] } },
      () => undefined,
    );
    const pod = object && viewPod(object);
    assert.ok(pod);
    return checkAgents(pod, { ...plinth, agents }).map(({ severity }) => severity);
  };
  assert.deepEqual(found('example.org/x/a:2.1'), []);
  assert.deepEqual(found('example.org/x/a:1.9'), ['block']);
  assert.deepEqual(found('example.org/yx/a:1.9'), []);
});

test('selectors hold all they say; one without a word holds everything', () => {
  assert.ok(selects({}, { a: 'b' }));
  assert.ok(selects({ matchLabels: { a: 'b' } }, { a: 'b', c: 'd' }));
  assert.ok(!selects({ matchLabels: { a: 'b', c: 'e' } }, { a: 'b', c: 'd' }));
  const expression = (operator: string, values: string[] = []) => ({
    matchExpressions: [{ key: 'a', operator, values }],
  });
  assert.ok(selects(expression('In', ['b']), { a: 'b' }));
  assert.ok(!selects(expression('In', ['b']), {}));
  assert.ok(selects(expression('NotIn', ['b']), {}));
  assert.ok(selects(expression('Exists'), { a: '' }));
  assert.ok(!selects(expression('DoesNotExist'), { a: '' }));
  assert.ok(!selects(expression('Else'), { a: 'b' }));
});

describe('host paths', () => {
  const verdicts = (path: string, more: object = {}, mount: object = {}) => {
    const object = toKubeObject(
      {
        apiVersion: 'apps/v1',
        kind: 'DaemonSet',
        spec: {
          template: {
            spec: {
              containers: [
                { name: 'c', image: 'i', volumeMounts: [{ name: 'v', mountPath: '/x', ...mount }] },
              ],
              volumes: [{ name: 'v', hostPath: { path, ...more } }],
            },
          },
        },
      },
      () => undefined,
    );
    const pod = object && viewPod(object);
    assert.ok(pod);
    return checkHostPaths(pod, plinth).map(
      ({ rule, severity }) => `${rule}${severity ? ` ${severity}` : ''}`,
    );
  };

  for (const [path, more, mount, expected] of [
    ['/var/log', {}, {}, []],
    ['/var/log/', { type: 'DirectoryOrCreate' }, {}, []],
    ['/var/run/secrets-store', { type: 'DirectoryOrCreate' }, {}, []],
    ['/lib/modules', {}, {}, []],
    ['/etc/kubernetes/manifests', {}, {}, []],
    ['/etc/systemd/system', {}, {}, ['PLM003']],
    ['/etc/systemd/system', {}, { readOnly: true }, []],
    ['/etc/missing.conf', { type: 'File' }, { readOnly: true }, ['PLM002']],
    ['/etc/missing', { type: 'DirectoryOrCreate' }, { readOnly: true }, []],
    ['/usr/local/bin', {}, {}, ['PLM002']],
    ['/opt', {}, {}, ['PLM001']],
    ['/opt', {}, { readOnly: true }, []],
    ['/data', {}, {}, ['PLM002']],
    ['/data', {}, { name: 'other' }, []],
    ['/data', { type: 'DirectoryOrCreate' }, { name: 'other' }, ['PLM002']],
    ['/var/lib/docker/containers', {}, { readOnly: true }, ['PLM005 info']],
    ['/run/nri/nri.sock', { type: 'Socket' }, {}, ['PLM005']],
    ['/usr/libexec/kubernetes/kubelet-plugins/volume/exec', {}, {}, ['PLM008 block']],
    ['/var/lib/kubelet/volume-plugins', {}, {}, ['PLM004']],
    ['/sys/fs/bpf', { type: 'DirectoryOrCreate' }, {}, []],
    ['relative', {}, {}, []],
  ] as const)
    test(`${path} ${JSON.stringify(more)} ${JSON.stringify(mount)}: ${expected.join() || 'fine'}`, () => {
      assert.deepEqual(verdicts(path, more, mount), expected);
    });
});
