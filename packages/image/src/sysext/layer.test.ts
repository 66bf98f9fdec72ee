import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PlinthError } from '@plinth/base';
import type { BuiltGoComponent } from '../go/build-go-component.ts';
import { loadGoComponents } from '../go/go-component.ts';
import { sampleBillInputs } from '../release/sbom/bill.testing.ts';
import { assembleLayer, type LayerInputs } from './assemble-layer.ts';
import { renderExtensionRelease } from './extension-release.ts';
import { layerPapersName, writeLayerPapers } from './layer-papers.ts';
import { componentsOf, loadLayerSpec } from './layer-spec.ts';

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const ownSpec = join(repository, 'os/kubernetes/layer.yaml');
const ownTree = join(repository, 'os/kubernetes/tree');
const osRelease = 'NAME="Plinth"\nID=plinth\nSYSEXT_LEVEL=0.1.0\nARCHITECTURE=x86-64\n';

/** Every program that the layer names, as a file that holds its name. */
async function fakeBuilds(dir: string): Promise<Map<string, BuiltGoComponent>> {
  const components = new Map<string, BuiltGoComponent>();
  for (const [name, component] of await loadGoComponents(join(repository, 'go'))) {
    await mkdir(join(dir, name));
    const programs = new Map<string, string>();
    for (const program of component.packages.map((path) => path.slice(path.lastIndexOf('/') + 1))) {
      programs.set(program, join(dir, name, program));
      await writeFile(join(dir, name, program), program);
    }
    const info = (program: string) => ({
      ...{ goVersion: 'go1.26.11', path: `plinth.dev/go/${name}/cmd/${program}`, settings: {} },
      modules: [{ path: 'golang.org/x/net', version: 'v0.40.0' }],
    });
    const modules = Object.fromEntries([...programs.keys()].map((program) => [program, info(program)]));
    components.set(name, { component, key: name, programs, modules });
  }
  return components;
}

async function withInputs(work: (inputs: LayerInputs, dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-layer-'));
  try {
    await mkdir(join(dir, 'catatonit/usr/bin'), { recursive: true });
    await writeFile(join(dir, 'catatonit/usr/bin/catatonit'), 'catatonit');
    await mkdir(join(dir, 'out'));
    const inputs: LayerInputs = {
      spec: await loadLayerSpec(ownSpec),
      minor: '1.37',
      version: '1.37.9',
      treeDir: ownTree,
      components: await fakeBuilds(dir),
      packages: new Map([['catatonit', { dir: join(dir, 'catatonit'), version: '0.2-1+b14' }]]),
      osRelease,
      epochSeconds: 1_763_700_000,
    };
    await work(inputs, join(dir, 'out'));
  } finally {
    await rm(dir, { recursive: true });
  }
}

test("Plinth's own layer has its programs, their names, archives, and manifests that name them", () =>
  withInputs(async (inputs, dir) => {
    const manifest = await assembleLayer(inputs, dir);
    const root = join(dir, 'root');
    assert.equal(await readFile(join(root, 'usr/bin/plinth-kube'), 'utf8'), 'plinth-kube');
    assert.equal(await readlink(join(root, 'usr/bin/kubelet')), 'plinth-kube');
    assert.equal(await readlink(join(root, 'usr/bin/kubectl')), 'plinth-kubeadm');
    assert.equal((await stat(join(root, 'usr/libexec/cni/bridge'))).mode & 0o7777, 0o755);
    assert.deepEqual(
      manifest.images.map(({ reference }) => reference),
      // containerd's configuration names the pause image, so its tag is the same in every layer.
      ['plinth.local/pause:1', ...['coredns', 'flannel', 'probe'].map((name) => referenceOf(inputs, name))],
    );
    for (const { archive, name } of manifest.images) {
      assert.ok((await stat(join(root, archive))).size > 0);
      assert.ok(
        (await stat(join(dir, 'programs', name))).isFile(),
        'the policy sees the program of each image',
      );
    }
    const folder = join(root, 'usr/share/plinth/kubernetes/manifests');
    for (const name of await readdir(folder)) {
      const text = await readFile(join(folder, name), 'utf8');
      assert.doesNotMatch(text, /\$\{image:/);
      for (const [, reference] of text.matchAll(/image: (\S+)/g)) {
        assert.ok(
          manifest.images.some((image) => image.reference === reference),
          `${reference} in ${name}`,
        );
      }
    }
    const release = await readFile(
      join(root, 'usr/lib/extension-release.d/extension-release.kubernetes'),
      'utf8',
    );
    assert.match(release, /^IMAGE_VERSION=1\.37\.9$/m);
  }));

function referenceOf({ components }: LayerInputs, name: string): string {
  return `plinth.local/${name}:${components.get(name)?.component.version}`;
}

test('what is named but was not built, and an image no layer has, are refused', () =>
  withInputs(async (inputs, dir) => {
    const refused = (changed: LayerInputs, what: RegExp) =>
      assert.rejects(assembleLayer(changed, dir), (error) => {
        assert.ok(error instanceof PlinthError && error.code === 'image/spec-invalid');
        assert.match(error.message, what);
        return true;
      });
    await refused({ ...inputs, packages: new Map() }, /package\/catatonit/);
    await rm(join(dir, 'root'), { recursive: true });
    const images = inputs.spec.images.filter(({ name }) => name !== 'coredns');
    await refused(
      { ...inputs, spec: { ...inputs.spec, images } },
      /coredns\.yaml: it names the image coredns/,
    );
  }));

test('a layer fits exactly the image whose os-release it was made for', () => {
  assert.equal(
    renderExtensionRelease(osRelease, { name: 'kubernetes', version: '1.37.1' }),
    [
      ...['ID=plinth', 'SYSEXT_LEVEL=0.1.0', 'ARCHITECTURE=x86-64', 'SYSEXT_SCOPE=system'],
      ...['EXTENSION_RELOAD_MANAGER=1', 'IMAGE_ID=kubernetes', 'IMAGE_VERSION=1.37.1', ''],
    ].join('\n'),
  );
});

test('every component a layer of each minor needs is one that go/ has', async () => {
  const spec = await loadLayerSpec(ownSpec);
  const known = await loadGoComponents(join(repository, 'go'));
  for (const minor of spec.minors) {
    const names = componentsOf(spec, minor);
    assert.ok(names.includes(`kubernetes-${minor}`));
    for (const name of names) assert.ok(known.has(name), name);
  }
});

test('a mistake in layer.yaml is shown with its place', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-layer-'));
  try {
    const file = join(dir, 'layer.yaml');
    await writeFile(file, 'name: x\nminors: ["1"]\nprograms: [{ from: a/b, path: /etc/x }]\nimages: []\n');
    await assert.rejects(loadLayerSpec(file), (error) => {
      assert.ok(error instanceof PlinthError && error.code === 'image/spec-invalid');
      assert.deepEqual(
        error.diagnostics.map(({ path, span }) => [path, span?.line]),
        [
          ['$.minors[0]', 2],
          ['$.programs[0].path', 3],
        ],
      );
      return true;
    });
  } finally {
    await rm(dir, { recursive: true });
  }
});

test('the papers of a layer name each program with its modules and each package, under its root hash', () =>
  withInputs(async (inputs, dir) => {
    await assembleLayer(inputs, dir);
    const [, , catatonit] = sampleBillInputs().packages;
    assert.ok(catatonit);
    const papers = {
      ...inputs,
      ...{ rootHash: 'ab'.repeat(32), treeDir: join(dir, 'root'), packages: [catatonit] },
    };
    await writeLayerPapers(papers, dir);
    const paper = JSON.parse(await readFile(join(dir, layerPapersName('kubernetes', '1.37.9')), 'utf8'));
    assert.deepEqual([paper.rootHash, paper.version], [papers.rootHash, '1.37.9']);
    assert.ok(paper.files.includes('/usr/bin/kubelet'));
    const spdx = JSON.parse(await readFile(join(dir, paper.spdx.name), 'utf8'));
    const names = spdx.packages.map(({ name }: { name: string }) => name);
    for (const name of ['plinth-kube', 'plinth-kubeadm', 'bridge', 'coredns', 'flanneld', 'stdlib', 'crun'])
      assert.ok(names.includes(name), name);
    // A list of modules that is missing is no empty list.
    const kubeless = new Map(inputs.components);
    const { component, key, programs } = kubeless.get('coredns') ?? {};
    assert.ok(component && key && programs);
    kubeless.set('coredns', { component, key, programs, modules: {} });
    await assert.rejects(writeLayerPapers({ ...papers, components: kubeless }, dir), /list of modules/);
  }));
