import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, suite, test } from 'node:test';
import { createClient, createRouterTransport } from '@connectrpc/connect';
import { BootstrapContainerState, BootstrapContainersService } from '@plinth/api';
import type { BootstrapContainer } from '@plinth/config';
import { eventually } from '@plinth/host/testing';
import { fifoPipes } from '../containers/testing/fifo-pipes.ts';
import {
  noContainers,
  type ShellContainerd,
  startShellContainerd,
} from '../containers/testing/shell-containerd.ts';
import { memoryStore } from '../sys/state-store.ts';
import { bootstrapContainersService } from './bootstrap-containers-service.ts';
import { containerFiles } from './container-files.ts';
import { openBootstrapContainers } from './open-bootstrap-containers.ts';

// Real containers, with the containerd and the crun of the system that was built last. Needs root.

suite('bootstrap containers', { skip: noContainers }, () => {
  let os: ShellContainerd;
  let image = '';
  let folder = '';
  let folders = 0;
  let store = memoryStore('a test');

  before(async () => {
    os = await startShellContainerd({
      Entrypoint: ['/bin/sh'],
      Cmd: ['-c', 'echo the image itself'],
      Env: ['PATH=/bin', 'FROM=image'],
    });
    image = os.image;
  });
  after(() => os?.[Symbol.asyncDispose]());
  beforeEach(async () => {
    store = memoryStore('a test');
    folder = join(os.folder, `bootstrap-${++folders}`);
    await mkdir(folder);
  });

  const spec = (name: string, more: Partial<BootstrapContainer> = {}): BootstrapContainer => ({
    ...{ name, image, env: [], mounts: [], timeout: '1m', essential: false, run: 'on-change' },
    ...more,
  });
  const script = (data: string): Partial<BootstrapContainer> => ({
    command: ['/bin/sh', '/plinth/data'],
    data,
  });
  const open = (
    specs: readonly BootstrapContainer[],
    bootId: string,
    signal = new AbortController().signal,
  ) =>
    openBootstrapContainers({
      ...{ store, specs, bootId, signal, cri: os.cri, own: os.own, nowMs: Date.now, retryMs: 50 },
      console: { say: () => {} },
      files: containerFiles(folder, fifoPipes),
      limits: { pollMs: 50, firstPauseMs: 50, pullMs: 500, outputBytes: 100_000 },
    });
  const nothingIsLeft = async () => {
    assert.deepEqual(await os.own.list('bootstrap'), []);
    assert.deepEqual(await readdir(folder), []);
    assert.deepEqual(await os.cri.images(), [], 'the image has gone');
  };

  test('a script runs as data, once, and everything of it is gone', async () => {
    const given = spec('setup', {
      ...script(
        'exec 2>&1; echo "got $1 $FROM $ADDED"; id -u; readlink /proc/1/exe; echo x > /plinth/data || echo kept\n',
      ),
      args: ['an argument'],
      env: [{ name: 'ADDED', value: 'here' }],
    });
    const first = await open([given], 'boot-1');
    await first.beforeWorkloads();
    const client = createClient(
      BootstrapContainersService,
      createRouterTransport(bootstrapContainersService(first)),
    );
    const [told] = (await client.listBootstrapContainers({})).containers;
    assert.match(told?.output ?? '', /^got an argument image here\n0\n\/bin\/bash\n.*Read-only.*\nkept\n$/);
    assert.deepEqual([told?.state, told?.exitCode, told?.due], [BootstrapContainerState.SUCCEEDED, 0, false]);
    await nothingIsLeft();
    const startedAt = told?.startedAt;
    for (const bootId of ['boot-1', 'boot-2']) {
      const again = await open([given], bootId);
      await again.beforeWorkloads();
      assert.deepEqual(
        BigInt(again.list()[0]?.record?.startedAtMs ?? 0),
        (startedAt?.seconds ?? 0n) * 1000n + BigInt(Math.floor((startedAt?.nanos ?? 0) / 1e6)),
      );
    }
    const changed = await open([{ ...given, args: ['another'] }], 'boot-3');
    await changed.beforeWorkloads();
    assert.match(changed.list()[0]?.record?.output ?? '', /^got another /);
  });

  test('an image without anything said runs what it is made for', async () => {
    const opened = await open([spec('plain')], 'boot-1');
    await opened.beforeWorkloads();
    assert.equal(opened.list()[0]?.record?.output, 'the image itself\n');
  });

  test('an essential one that fails keeps workloads away, another does not; both are told', async () => {
    const optional = await open([spec('optional', script('echo no >&2; exit 4\n'))], 'boot-1');
    await optional.beforeWorkloads();
    assert.partialDeepStrictEqual(optional.list()[0]?.record, {
      ...{ state: 'failed', exitCode: 4, reason: 'it ended with exit code 4', output: 'no\n' },
    });
    store = memoryStore('a test');
    const needed = await open([spec('needed', { ...script('exit 4\n'), essential: true })], 'boot-1');
    await assert.rejects(needed.beforeWorkloads(), {
      code: 'bootstrap/essential-failed',
      message: /needed failed: it ended with exit code 4/,
    });
    const [check] = needed.checks.filter(({ critical }) => critical);
    assert.equal((await check?.observe({} as never))?.verdict, 'fail');
    await nothingIsLeft();
  });

  test('one that takes too long, and one that says too much, are ended', async () => {
    const opened = await open(
      [
        spec('a-late', { ...script('trap "" TERM; while :; do sleep 1; done\n'), timeout: '1s' }),
        spec('b-loud', script('while :; do echo "much to say about nothing at all"; done\n')),
        spec('c-after', script('echo still\n')),
      ],
      'boot-1',
    );
    await opened.beforeWorkloads();
    const [late, loud, after] = opened.list().map(({ record }) => record);
    assert.equal(late?.reason, 'it took longer than 1s');
    assert.equal(loud?.reason, 'it wrote more than 100000 bytes');
    assert.ok((loud?.output.length ?? 0) <= 8 * 1024);
    assert.equal(after?.output, 'still\n');
    await nothingIsLeft();
  });

  test('one that plinthd is killed in the middle of runs again from its beginning', async () => {
    const given = spec('slow', script('echo begin; sleep 2; echo end\n'));
    const killed = new AbortController();
    const first = await open([given], 'boot-1', killed.signal);
    await eventually(async () => assert.equal((await os.own.list('bootstrap')).length, 1));
    killed.abort();
    await first.idle;
    const second = await open([given], 'boot-1');
    await second.beforeWorkloads();
    assert.partialDeepStrictEqual(second.list()[0]?.record, { state: 'succeeded', output: 'begin\nend\n' });
    await nothingIsLeft();
  });

  test('an image that the registry does not have, or has of another digest, is a failure', async () => {
    const wrong = image.replace(/.{8}$/, '00000000');
    const opened = await open([spec('absent', { image: wrong })], 'boot-1');
    await opened.beforeWorkloads();
    assert.match(opened.list()[0]?.record?.reason ?? '', /does not have it/);
  });
});
