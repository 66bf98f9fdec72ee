import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { noContainers, type ShellContainerd, startShellContainerd } from '../testing/shell-containerd.ts';
import {
  bootstrapSpec,
  capabilitiesOf,
  fullSpec,
  type OciSpec,
  type ProcessSpec,
  viewSpec,
} from './oci-spec.ts';

// With the containerd and the crun of the system that was built last, in its own root. Needs root.

const never = new AbortController().signal;
const limits = { memoryBytes: 256 * 1024 * 1024, processes: 64 };

suite('containers of the node', { skip: noContainers }, () => {
  let os: ShellContainerd;
  let image = '';
  let count = 0;
  const capabilities = capabilitiesOf(readFileSync('/proc/self/status', 'utf8'));

  before(async () => {
    os = await startShellContainerd({ Entrypoint: ['/bin/sh'], Env: ['PATH=/bin'] });
    image = os.image;
    await os.cri.pull(image);
  });
  after(() => os?.[Symbol.asyncDispose]());

  /** Runs a script to its end. */
  async function run(script: string, specOf: (process: ProcessSpec) => OciSpec) {
    const id = `try-${++count}`;
    const log = join(os.folder, `${id}.log`);
    await os.own.start({
      ...{ id, owner: 'test', image, longestMs: 60_000, domain: 'bootstrap_t' },
      io: { stdin: '', stdout: `file://${log}`, stderr: `file://${log}`, terminal: false },
      spec: ({ env, folder, uid, gid }) => specOf({ args: ['/bin/sh', '-c', script], env, folder, uid, gid }),
    });
    const exitCode = await os.own.wait(id, never);
    assert.deepEqual(await os.own.list('test'), [id]);
    await os.own.remove(id);
    assert.deepEqual(await os.own.list('test'), []);
    // Not before: the shim tells of the end as it comes, and copies what was said last afterwards; its removal waits.
    return { exitCode, said: await readFile(log, 'utf8').catch(() => '') };
  }

  test('a container runs to its end and is gone; its pod-less life is not seen by CRI', async () => {
    const { exitCode, said } = await run('echo out; echo err >&2; exit 7', (process) =>
      bootstrapSpec(process, [], limits),
    );
    assert.equal(exitCode, 7, said);
    assert.deepEqual(said.split('\n').toSorted(), ['', 'err', 'out']);
    assert.deepEqual(await os.cri.containers(), []);
  });

  test('the view reads the node and changes nothing', async () => {
    const view = (process: ProcessSpec) => viewSpec({ ...process, uid: 61_000, gid: 61_000 }, [], limits);
    const { exitCode, said } = await run(
      'id -u; cat /host/etc/os-release; for p in /host/var/x /host/run/x /host/x /x; do touch $p && echo WROTE $p; done; ' +
        'mknod /tmp/d b 8 0 && echo MADE; cat /proc/self/status; ls /proc; true',
      view,
    );
    assert.equal(exitCode, 0, said);
    assert.match(said, /^61000\n/);
    assert.match(said, /^ID=plinth$/m);
    assert.doesNotMatch(said, /WROTE|MADE/);
    assert.match(said, /Read-only file system/);
    for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapInh', 'CapAmb'])
      assert.match(said, new RegExp(`^${set}:\\s0000000000000000$`, 'm'), set);
    assert.match(said, /^NoNewPrivs:\s1$/m);
    assert.match(said, /^Seccomp:\s2$/m);
  });

  test('the full level is root of the node', async () => {
    const { exitCode, said } = await run(
      'id -u; touch /host/var/was-here && echo WROTE; cat /proc/self/status',
      (process) => fullSpec(process, capabilities, limits),
    );
    assert.equal(exitCode, 0, said);
    assert.match(said, /^0\nWROTE\n/);
    assert.match(said, /^NoNewPrivs:\s0$/m);
  });

  test('what cannot be started leaves nothing', async () => {
    await assert.rejects(
      os.own.start({
        ...{ id: 'wrong', owner: 'test', image, longestMs: 1000, domain: 'bootstrap_t' },
        io: { stdin: '', stdout: '', stderr: '', terminal: false },
        spec: ({ env, folder }) =>
          bootstrapSpec({ args: ['/no-such-program'], env, folder, uid: 0, gid: 0 }, [], limits),
      }),
      { code: 'containers/failed' },
    );
    assert.deepEqual(await os.own.list('test'), []);
    await assert.rejects(
      os.own.start({
        ...{
          id: 'missing',
          owner: 'test',
          image: 'registry.example/none:1',
          longestMs: 1000,
          domain: 'bootstrap_t',
        },
        io: { stdin: '', stdout: '', stderr: '', terminal: false },
        spec: () => assert.fail('there is no image'),
      }),
      { code: 'containers/image-missing' },
    );
  });
});
