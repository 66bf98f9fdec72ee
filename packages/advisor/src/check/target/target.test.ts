import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { cacheDir } from '@plinth/host';
import fc from 'fast-check';
import { parse } from 'yaml';
import { checkTargets, loadKnowledge, readCheckData } from '../load-knowledge.ts';
import { realPath } from '../rules/host-paths.ts';
import { agentsSchema, labelsSchema, programsSchema } from '../rules/knowledge.ts';
import { existsOn, matches, pathFactOf, programOn, type Target } from './target.ts';

const OS = join(import.meta.dirname, '../../../../../os');
const TODAY = '2026-11-22';
const SYSTEMS = join(import.meta.dirname, '../../../data/systems');

describe('Plinth, as the files of os/ say it is', () => {
  let plinth: Target;
  before(async () => {
    plinth = (await loadKnowledge('plinth', OS, TODAY)).target;
  });
  const state = (path: string) => pathFactOf(plinth, path)?.state;

  test('paths come from os/paths.yaml', () => {
    assert.equal(state('/'), 'read-only');
    assert.equal(state('/opt/agent'), 'read-only');
    assert.equal(state('/usr/lib/x'), 'read-only');
    assert.equal(state('/etc/x'), 'ephemeral');
    // A link to /var/lib/kubernetes.
    assert.equal(state('/etc/kubernetes/manifests'), 'persistent');
    assert.equal(state('/var/lib/x'), 'persistent');
    assert.equal(pathFactOf(plinth, '/var/lib/kubelet/pods')?.noexec, true);
    assert.equal(state('/run/x'), 'ephemeral');
    assert.equal(state('/proc/sys'), 'kernel');
    assert.equal(state('/dev/sda'), 'devices');
    // Every rule of the table that is not of containers has its fact.
    const table = parse(readFileSync(join(OS, 'paths.yaml'), 'utf8')) as {
      paths: { path: string; kind: string; writable: boolean }[];
    };
    for (const { path, kind, writable } of table.paths)
      if (kind === 'erofs-verity' || (kind === 'overlay' && !writable))
        assert.equal(state(path), 'read-only', path);
  });

  test('programs come from the lock, the layer and the policy', () => {
    const has = (name: string) => programOn(plinth, name)?.has;
    for (const name of ['sh', 'bash', 'apt-get', 'python3', 'iscsiadm', 'mount.nfs', 'lvm', 'strace', 'sed'])
      assert.equal(has(name), false, name);
    for (const name of ['nsenter', 'systemctl', 'modprobe', 'kubelet', 'containerd', 'nft', 'kubeadm'])
      assert.equal(has(name), true, name);
    assert.equal(has('something-else'), undefined);
  });

  test('kernel, runtime and cluster', () => {
    assert.equal(plinth.kernel.signedOnly?.value, true);
    assert.equal(plinth.kernel.lockdown?.value, 'integrity');
    assert.ok(plinth.kernel.loaded?.value.includes('overlay'));
    assert.ok(plinth.kernel.declared?.value.includes('rbd'));
    assert.deepEqual(plinth.kubelet.cniBinDirs?.value, ['/usr/libexec/cni']);
    assert.equal(plinth.kubelet.nri?.value, false);
    assert.equal(plinth.security.selinux?.value, 'enforcing');
    assert.ok(plinth.fixedSysctls.some(({ key }) => key === 'kernel.kptr_restrict'));
    // Written by hand here, because the agent's code is no data: it must be what plinthd renders.
    const rendered = (name: string) =>
      readFileSync(join(OS, '../packages/agent/src/kubernetes/render', name), 'utf8');
    assert.match(
      rendered('api-server-files.ts'),
      new RegExp(`enforce: '${plinth.security.podSecurity?.value}'`),
    );
    assert.match(rendered('api-server-files.ts'), /EXEMPT_NAMESPACES = \['kube-system'\]/);
    assert.ok(rendered('kubelet-config.ts').includes(plinth.kubelet.volumePluginDir?.value ?? '?'));
    assert.ok(rendered('kubelet-config.ts').includes(plinth.kubelet.runtimeSocket?.value ?? '?'));
    assert.doesNotMatch(rendered('kubelet-config.ts'), /allowedUnsafeSysctls/);
  });

  test('what lies in the image is what a built tree has', {
    skip: newestTree() === undefined && 'no image was built here',
  }, () => {
    const tree = newestTree() ?? '';
    const made =
      /^\/(?:dev|run|proc|sys|tmp|var|efi|etc\/cni|usr\/libexec|usr\/share\/plinth|mnt|opt|srv)(?:\/|$)/;
    for (const entry of plinth.exists?.value ?? []) {
      const path = entry.replace(/\/\*$/, '');
      if (!made.test(path))
        assert.ok(lstatSync(join(tree, path), { throwIfNoEntry: false }), `${entry} is not in the image`);
    }
    for (const top of readdirSync(tree)) assert.notEqual(existsOn(plinth, realPath(`/${top}`)), false, top);
    for (const below of readdirSync(join(tree, 'etc')))
      if (lstatSync(join(tree, 'etc', below)).isDirectory())
        assert.notEqual(existsOn(plinth, `/etc/${below}`), false, below);
  });
});

function newestTree(): string | undefined {
  const stages = join(cacheDir(), 'stages');
  if (!existsSync(stages)) return undefined;
  const trees = readdirSync(stages)
    .filter((name) => name.startsWith('tree-'))
    .map((name) => join(stages, name, 'root'))
    .filter((path) => existsSync(join(path, 'usr/bin')));
  return trees.toSorted((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
}

describe('other systems', () => {
  test('every file of data is valid, and each fact names a source that is there', async () => {
    const targets = await checkTargets();
    assert.ok(targets.length >= 12);
    for (const id of targets) {
      const { target } = await loadKnowledge(id, OS, TODAY);
      assert.equal(target.id, id);
      for (const source of sourcesOf(target)) assert.ok(source in target.sources, `${id}: ${source}`);
    }
  });

  test('carry the names that the advisor gives them', async () => {
    const systems = readdirSync(SYSTEMS).map((name) => name.replace('.yaml', ''));
    const targets = await checkTargets();
    for (const id of targets) assert.ok(systems.includes(id), id);
    const { agents } = await readCheckData('agents.yaml', agentsSchema);
    for (const { id, states } of agents)
      for (const { target } of states) assert.ok(targets.includes(target), `${id}: ${target}`);
    const { labels } = await readCheckData('node-labels.yaml', labelsSchema);
    for (const { key, systems: named } of labels)
      for (const system of named) assert.ok(targets.includes(system), `${key}: ${system}`);
  });

  test('what agents need is told by name, so that a target can have it', async () => {
    const { agents } = await readCheckData('agents.yaml', agentsSchema);
    const { programs } = await readCheckData('programs.yaml', programsSchema);
    for (const { id, needs } of agents)
      for (const program of needs.programs)
        assert.ok(program in programs || /apiclient|update_engine_client/.test(program), `${id}: ${program}`);
  });

  test('no system is said to refuse what works on any: to write to /tmp, to read /usr', async () => {
    for (const id of await checkTargets()) {
      const { target } = await loadKnowledge(id, OS, TODAY);
      assert.equal(pathFactOf(target, '/tmp/x')?.usual, true, id);
      assert.equal(existsOn(target, '/usr'), true, id);
    }
  });

  test('a system that nobody described is refused with those there are', async () => {
    await assert.rejects(loadKnowledge('plan9', OS, TODAY), {
      code: 'check/unknown-target',
      message: /talos/,
    });
  });
});

function sourcesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(sourcesOf);
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, each]) =>
    key === 'source' && typeof each === 'string' ? [each] : key === 'sources' ? [] : sourcesOf(each),
  );
}

describe('helpers', () => {
  test('a pattern without "*" is the text itself, and "*" alone is any (property)', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        const plain = a.replaceAll('*', '');
        assert.equal(matches(plain, b), plain === b);
        assert.equal(matches('*', b), true);
        assert.equal(matches(`${plain}*`, plain + b), true);
        assert.equal(matches(`*${plain}`, b + plain), true);
        assert.equal(matches(`${plain}*${plain}`, plain), plain === '');
      }),
    );
  });

  test('links of the host are followed', () => {
    assert.equal(realPath('/var/run/docker.sock'), '/run/docker.sock');
    assert.equal(realPath('/lib/modules/'), '/usr/lib/modules');
    assert.equal(realPath('/library'), '/library');
    assert.equal(realPath('/opt/../etc//x/'), '/etc/x');
    assert.equal(realPath('/'), '/');
  });
});
