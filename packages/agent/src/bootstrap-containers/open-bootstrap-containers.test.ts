import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import type { BootstrapContainer } from '@plinth/config';
import type { OwnContainers } from '../containers/own/own-containers.ts';
import { memoryStore, type StateStore } from '../sys/state-store.ts';
import type { ContainerFiles } from './container-files.ts';
import { openBootstrapContainers } from './open-bootstrap-containers.ts';

const spec = (name: string, more: Partial<BootstrapContainer> = {}): BootstrapContainer => ({
  ...{ name, image: `r.example/${name}@sha256:00`, env: [], mounts: [], timeout: '1m' },
  ...{ essential: false, run: 'on-change', ...more },
});

/** A node in memory: containers end with the code that stands for them, images are there once pulled. */
function world() {
  const images = new Set<string>();
  const left = new Set<string>();
  const state = {
    log: [] as string[],
    said: [] as string[],
    exitCodes: {} as Record<string, number>,
    silent: 0,
    tags: [] as string[],
    registryAway: 0,
    store: memoryStore('a test') as StateStore,
    images,
    left,
  };
  const files: ContainerFiles = {
    prepare: async () => undefined,
    openOutput: async (name) => ({
      path: `/out/${name}`,
      pieces: (async function* () {
        yield Buffer.from(`${name} \u001b[31mspoke\n`);
      })(),
      close: () => {},
    }),
    present: async () => [],
    clear: async () => {},
  };
  const own: OwnContainers = {
    async start({ id }) {
      state.log.push(`start ${id}`);
      left.add(id);
    },
    wait: async (id) => state.exitCodes[id] ?? 0,
    kill: async () => {},
    resize: async () => {},
    async remove(id) {
      left.delete(id);
    },
    async list() {
      if (state.silent-- > 0)
        throw new PlinthError('containers/runtime-unreachable', 'Cannot list containers: it does not answer');
      return [...left];
    },
    close: () => {},
  };
  const cri = {
    image: async (name: string) =>
      images.has(name)
        ? ({ id: name, pinned: false, repoTags: state.tags, repoDigests: [name] } as never)
        : undefined,
    async pull(name: string) {
      if (state.registryAway-- > 0) throw new PlinthError('containers/pull-failed', 'Cannot pull: no route');
      state.log.push(`pull ${name.split('@')[0]}`);
      images.add(name);
      return name;
    },
    async remove(name: string) {
      images.delete(name);
    },
    containers: async () => [],
  };
  const open = (specs: readonly BootstrapContainer[], bootId = 'boot-1') =>
    openBootstrapContainers({
      ...{ store: state.store, specs, bootId, cri, own, files, nowMs: () => 1, retryMs: 1 },
      console: { say: (line) => state.said.push(line) },
      signal: new AbortController().signal,
      limits: { firstPauseMs: 1, pollMs: 5, pullMs: 200 },
    });
  return { state, open };
}

test('they run one after the other in the order of their names, and take their images with them', async () => {
  const { state, open } = world();
  const opened = await open([spec('b'), spec('a')]);
  await opened.beforeWorkloads();
  assert.deepEqual(state.log, [
    'pull r.example/a',
    'start bootstrap-a',
    'pull r.example/b',
    'start bootstrap-b',
  ]);
  assert.deepEqual([[...state.images], [...state.left]], [[], []]);
  assert.equal(opened.list()[0]?.record?.output, 'a �[31mspoke\n');
});

test('an image that was there before stays', async () => {
  const { state, open } = world();
  state.images.add(spec('a').image);
  await (await open([spec('a')])).beforeWorkloads();
  assert.deepEqual([...state.images], [spec('a').image]);
});

test('an image that has another name as well stays', async () => {
  const { state, open } = world();
  state.tags = ['r.example/a:1'];
  await (await open([spec('a')])).beforeWorkloads();
  assert.deepEqual([...state.images], [spec('a').image]);
});

test('a runtime and a registry that come later are waited for', async () => {
  const { state, open } = world();
  state.silent = 3;
  state.registryAway = 3;
  const opened = await open([spec('a')]);
  await opened.beforeWorkloads();
  assert.equal(opened.list()[0]?.record?.state, 'succeeded');
  assert.equal(state.said.filter((line) => line.includes('waits for the container runtime')).length, 1);
});

test('registries that stay away hold all of them no longer than one', async () => {
  const { state, open } = world();
  state.registryAway = Number.POSITIVE_INFINITY;
  const startedMs = performance.now();
  const opened = await open(['a', 'b', 'c', 'd'].map((name) => spec(name)));
  await opened.beforeWorkloads();
  assert.ok(performance.now() - startedMs < 800);
  assert.deepEqual(
    opened.list().map(({ record }) => record?.reason),
    Array.from({ length: 4 }, () => 'Cannot pull: no route'),
  );
});

test('a disk that takes nothing keeps no workloads away', async () => {
  const { state, open } = world();
  const write = async () => {
    throw new Error('ENOSPC');
  };
  state.store = { ...state.store, write };
  const opened = await open([spec('a', { essential: true })]);
  await opened.beforeWorkloads();
  assert.equal(state.said.filter((line) => line.includes('ENOSPC')).length, 1);
});

test('what is stored and cannot be read is put aside, and all run again', async () => {
  const { state, open } = world();
  await (await open([spec('a')])).beforeWorkloads();
  await state.store.write('bootstrap-containers.json', Buffer.from('{"version":2}'));
  await (await open([spec('a')], 'boot-2')).beforeWorkloads();
  assert.equal(state.log.filter((line) => line === 'start bootstrap-a').length, 2);
  assert.ok(state.said.some((line) => line.includes('put aside')));
});

test('a node that asks for none waits for nothing and stores nothing', async () => {
  const { state, open } = world();
  state.silent = Number.POSITIVE_INFINITY;
  const opened = await open([]);
  await opened.beforeWorkloads();
  assert.equal(await state.store.read('bootstrap-containers.json'), undefined);
  for (const check of opened.checks) assert.equal((await check.observe({} as never)).verdict, 'pass');
});

test('a config that changes while workloads run changes nothing in this boot', async () => {
  const { state, open } = world();
  await (await open([spec('a')])).beforeWorkloads();
  state.exitCodes['bootstrap-b'] = 1;
  const again = await open([spec('a', { args: ['x'] }), spec('b', { essential: true })]);
  await again.beforeWorkloads();
  assert.equal(state.log.filter((line) => line.startsWith('start')).length, 1);
  const next = await open([spec('a', { args: ['x'] }), spec('b', { essential: true })], 'boot-2');
  await assert.rejects(next.beforeWorkloads(), { code: 'bootstrap/essential-failed' });
  assert.equal(state.log.filter((line) => line.startsWith('start')).length, 3);
});
