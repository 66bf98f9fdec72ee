import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PlinthError, silentProgress } from '@plinth/base';
import { readElf } from '@plinth/formats';
import { hashFile, openStageCache } from '@plinth/host';
import { buildGoComponent, findGoComponent } from './build-go-component.ts';
import { compileGo } from './compile-go.ts';
import { openGoCache } from './go-cache.ts';
import type { GoComponent } from './go-component.ts';
import { openGoTools } from './go-tools.ts';

// A module of a few lines through the real toolchain (openToolbox): what holds for it holds for Kubernetes.

const lockDir = fileURLToPath(new URL('../../../../os/', import.meta.url));
const tools = await openGoTools({ lockDir });
const dir = await mkdtemp(join(tmpdir(), 'plinth-go-'));
after(() => rm(dir, { recursive: true }));

const main = 'package main\n\nvar version = "none"\n\nfunc main() { println(version) }\n';

async function component(name: string, files: Readonly<Record<string, string>>): Promise<GoComponent> {
  const moduleDir = join(dir, name);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(moduleDir, path)), { recursive: true });
    await writeFile(join(moduleDir, path), text);
  }
  return {
    name,
    version: '1.0.0',
    moduleDir,
    modFile: 'go.mod',
    tags: [],
    variables: { 'main.version': 'v1.0.0' },
    packages: ['./cmd/hello'],
    isTests: false,
    cpuSeconds: { compile: 10, link: 1 },
  };
}

const hello = await component('hello', {
  'go.mod': 'module example.org/hello\n\ngo 1.26.0\n',
  'cmd/hello/main.go': main,
});

async function compile(name: string, source: string): Promise<string> {
  const cache = await openGoCache(join(dir, `${name}-cache`));
  const output = join(dir, name);
  await compileGo(hello, output, {
    tools,
    cache,
    jobs: 2,
    packageCount: 40,
    progress: silentProgress,
    source,
  });
  return join(output, 'hello');
}

test('another folder and an empty cache give the same bytes: static, without symbols, with its module list', async () => {
  const first = await compile('first', '/src');
  const second = await compile('second', '/home/somebody/elsewhere');
  assert.deepEqual(await hashFile(first), await hashFile(second));
  const elf = readElf(await readFile(first), 'hello');
  assert.equal(elf?.interpreter, undefined);
  assert.equal(elf?.go?.path, 'example.org/hello/cmd/hello');
  assert.equal(elf?.go?.settings['-trimpath'], 'true');
  const { stderr } = await tools.toolbox.run('/x/hello', [], {
    binds: [{ host: dirname(first), inside: '/x', readOnly: true }],
  });
  assert.equal(stderr, 'v1.0.0\n');
});

test('a component is compiled once, and found without the toolbox', async () => {
  const cache = openStageCache(join(dir, 'stages'));
  const goCache = await openGoCache(join(dir, 'first-cache'));
  assert.equal(await findGoComponent(hello, tools.key, cache), undefined);
  const built = await buildGoComponent(hello, { tools, cache, goCache });
  assert.deepEqual(Object.keys(built.modules), ['hello']);
  assert.deepEqual(await findGoComponent(hello, tools.key, cache), built);
  assert.deepEqual(await buildGoComponent(hello, { tools, cache, goCache }), built);
});

test('source that does not compile is refused with what the compiler says, and nothing is kept', async () => {
  const broken = await component('broken', {
    'go.mod': 'module example.org/broken\n\ngo 1.26.0\n',
    'cmd/hello/main.go': main.replace('println', 'printline'),
  });
  const cache = openStageCache(join(dir, 'stages'));
  const goCache = await openGoCache(join(dir, 'first-cache'));
  await assert.rejects(buildGoComponent(broken, { tools, cache, goCache }), (error) => {
    assert.ok(error instanceof PlinthError);
    assert.equal(error.code, 'go/compile-failed');
    assert.match(error.message, /undefined: printline/);
    return true;
  });
  assert.equal(await findGoComponent(broken, tools.key, cache), undefined);
});

/** Builds a component that needs example.org/dependency, from a module proxy of our own on this machine. */
async function buildFrom(answer: RequestListener): Promise<unknown> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const before = { proxy: process.env['PLINTH_GOPROXY'], sums: process.env['GOSUMDB'] };
  process.env['PLINTH_GOPROXY'] = `http://127.0.0.1:${address.port}`;
  process.env['GOSUMDB'] = 'off';
  try {
    const needy = await component('needy', {
      'go.mod': 'module example.org/needy\n\ngo 1.26.0\n\nrequire example.org/dependency v1.0.0\n',
      'go.sum': [
        `example.org/dependency v1.0.0 h1:${'A'.repeat(43)}=`,
        `example.org/dependency v1.0.0/go.mod h1:${'A'.repeat(43)}=`,
        '',
      ].join('\n'),
      'cmd/hello/main.go': main.replace('package main', 'package main\n\nimport _ "example.org/dependency"'),
    });
    const goCache = await openGoCache(join(dir, 'needy-cache'));
    const cache = openStageCache(join(dir, 'stages'));
    return await buildGoComponent(needy, { tools, cache, goCache }).catch((reason: unknown) => reason);
  } finally {
    server.close();
    restore('PLINTH_GOPROXY', before.proxy);
    restore('GOSUMDB', before.sums);
  }
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

test('a proxy that does not have a module is named as the reason', async () => {
  const reason = await buildFrom((_request, response) => response.writeHead(404).end('not here'));
  assert.ok(reason instanceof PlinthError);
  assert.equal(reason.code, 'go/modules-unavailable');
});

test('a module that is not what go.sum pins is refused', async () => {
  const reason = await buildFrom((request, response) => {
    const found = request.url?.endsWith('.mod') === true;
    response.writeHead(found ? 200 : 404).end(found ? 'module example.org/dependency\n' : '');
  });
  assert.ok(reason instanceof PlinthError);
  assert.equal(reason.code, 'go/modules-changed');
});
