import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PlinthError } from '@plinth/base';
import { buildFlags } from './go-command.ts';
import { digestComponent, type GoComponent, loadGoComponents, programNames } from './go-component.ts';

const own = fileURLToPath(new URL('../../../../go', import.meta.url));

async function withFolder(files: Readonly<Record<string, string>>, work: (dir: string) => Promise<void>) {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-go-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), text);
    }
    await work(dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

const recipe = (extra = '') => `
example:
  upstream: example.org/up
  variants: ["1.2", "1.3"]
  variables: { example.org/up.version: "v{version}-{major}-{minor}" }
  programs: [./cmd/x]
  cpuSeconds: { compile: 1, link: 1 }
${extra}`;
const files = {
  'components.yaml': recipe(),
  'example/cmd/x/main.go': 'package main\n',
  'example/minors/1.2.mod': 'module m\n\nrequire example.org/up v1.2.9\n',
  'example/minors/1.2.sum': 'a',
  'example/minors/1.3.mod': 'module m\n\nrequire (\n\texample.org/up v1.3.0 // indirect\n)\n',
  'example/minors/1.3.sum': 'b',
};

function only(components: ReadonlyMap<string, GoComponent>, name: string): GoComponent {
  const component = components.get(name);
  assert.ok(component, `${name} among ${[...components.keys()]}`);
  return component;
}

test('one source gives a component for each list of requirements, with the version required there', () =>
  withFolder(files, async (dir) => {
    const components = await loadGoComponents(dir);
    assert.deepEqual([...components.keys()], ['example-1.2', 'example-1.3']);
    const newer = only(components, 'example-1.3');
    assert.equal(newer.version, '1.3.0');
    assert.deepEqual(newer.variables, { 'example.org/up.version': 'v1.3.0-1-3' });
    assert.deepEqual(buildFlags(newer), [
      '-mod=readonly',
      '-modfile=minors/1.3.mod',
      '-trimpath',
      '-buildvcs=false',
      '-ldflags=-s -w -X=example.org/up.version=v1.3.0-1-3',
    ]);
  }));

test('a suite is built from packages of tests, and its programs have the names of tests', () =>
  withFolder(
    { ...files, 'components.yaml': recipe().replace('programs: [./cmd/x]', 'tests: [example.org/up/e2e]') },
    async (dir) => {
      const suite = only(await loadGoComponents(dir), 'example-1.3');
      assert.ok(suite.isTests);
      assert.deepEqual(programNames(suite), ['e2e.test']);
      assert.deepEqual(programNames({ ...suite, isTests: false }), ['e2e']);
    },
  ));

test('what a component is found by: its source and its own requirements, nothing beside them', () =>
  withFolder(files, async (dir) => {
    const component = only(await loadGoComponents(dir), 'example-1.3');
    const before = await digestComponent(component);
    await writeFile(join(dir, 'example/minors/1.2.sum'), 'changed');
    await writeFile(join(dir, 'example/README.md'), 'text');
    await writeFile(join(dir, 'example/cmd/x/main_test.go'), 'a test');
    assert.equal(await digestComponent(component), before);
    for (const path of ['cmd/x/main.go', 'minors/1.3.mod', 'minors/1.3.sum']) {
      const changing = await digestComponent(component);
      await writeFile(join(dir, 'example', path), 'changed');
      assert.notEqual(await digestComponent(component), changing, path);
    }
  }));

test('what cannot be used is refused with its place', async () => {
  const refused = (changes: Readonly<Record<string, string>>, expected: RegExp) =>
    withFolder({ ...files, ...changes }, (dir) =>
      assert.rejects(loadGoComponents(dir), (error) => {
        assert.ok(error instanceof PlinthError && error.code === 'go/components-invalid');
        assert.match(
          [error.message, ...error.diagnostics.map(({ message }) => message)].join('\n'),
          expected,
        );
        return true;
      }),
    );
  await refused({ 'components.yaml': recipe('  unknown: 1') }, /unknown key "unknown"/);
  await refused({ 'components.yaml': recipe('  version: 1.2.3') }, /either upstream or version/);
  await refused({ 'components.yaml': recipe('  tests: [example.org/up/e2e]') }, /either programs or tests/);
  await refused({ 'example/minors/1.3.mod': 'module m\n' }, /does not require example\.org\/up/);
  await refused({ 'example/minors/1.3.mod': 'require example.org/up v1.3.0-rc.1\n' }, /"v1\.3\.0-rc\.1"/);
  await refused({ 'components.yaml': recipe().replace('"1.3"', '"1.4"') }, /1\.4\.mod: it is missing/);
});

test("every component of Plinth's own can be loaded, and each Kubernetes is of its minor", async () => {
  const components = await loadGoComponents(own);
  for (const [name, { version, variables }] of components) {
    const minor = /^kubernetes-(.+)$/.exec(name)?.[1];
    if (minor === undefined) continue;
    assert.equal(version.split('.').slice(0, 2).join('.'), minor);
    assert.equal(variables['k8s.io/component-base/version.gitVersion'], `v${version}`);
  }
  assert.ok(components.has('containerd'));
  assert.match(only(components, 'probe').version, /^\d+\.\d+\.\d+$/, 'our own says its version itself');
});
