import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { RenderedFile } from '@plinth/config';
import { eventually } from '@plinth/host/testing';
import { type CriClient, openCri } from '../../../containers/cri-client.ts';

const CONFIG = new URL('../../../../../../os/etc/containerd/config.toml', import.meta.url);

/** The node's containerd with its settings in os/, on this machine, with an /etc of its own. */
export interface IsolatedContainerd extends AsyncDisposable {
  readonly cri: CriClient;
  /** What it has logged. */
  log(): string;
  /** Makes files in its /etc, which may be there before it starts, and while it runs. */
  write(files: readonly RenderedFile[]): Promise<void>;
  remove(path: string): Promise<void>;
  /** Ends it and starts it again. */
  restart(): Promise<void>;
}

/** Folders of /etc that change while it runs; the kernel promises nothing for changes below an overlay. */
const LIVE = ['containerd/certs.d', 'ssl/certs'];

/** Our files above those of this machine, and the live folders in the place of this machine's. */
const PREPARE = `set -e
etc="$1"
shift
mount -t overlay -o "lowerdir=$etc:/etc" none /etc
for folder in ${LIVE.join(' ')}; do mount --bind "$etc/$folder" "/etc/$folder"; done
exec "$@"`;

/** startContainerd needs root. @param hosts names that lead to 127.0.0.1 */
export async function startContainerd(
  program: string,
  hosts: readonly string[],
  files: readonly RenderedFile[] = [],
): Promise<IsolatedContainerd> {
  const dir = await mkdtemp(join(tmpdir(), 'plinth-containerd-'));
  const at = (path: string) => join(dir, 'root', path);
  const write = async (all: readonly Pick<RenderedFile, 'path' | 'mode' | 'text'>[]) => {
    for (const { path, mode, text } of all) {
      await mkdir(dirname(at(path)), { recursive: true });
      await writeFile(at(path), text, { mode });
    }
  };
  const config = (await readFile(CONFIG, 'utf8')).replace('/var/lib/containerd/opt', join(dir, 'opt'));
  const names = ['127.0.0.1 localhost', ...hosts.map((name) => `127.0.0.1 ${name}`), ''].join('\n');
  await write([
    { path: '/etc/containerd/config.toml', mode: 0o644, text: config },
    { path: '/etc/hosts', mode: 0o644, text: names },
    ...files,
  ]);
  for (const folder of LIVE) await mkdir(join(at('etc'), folder), { recursive: true });
  const socket = join(dir, 'containerd.sock');
  let log = '';
  let daemon: ChildProcess | undefined;
  const cri = openCri(socket);
  const start = async () => {
    const args = ['--root', join(dir, 'data'), '--state', join(dir, 'state'), '--address', socket];
    const child = spawn('unshare', ['--mount', 'sh', '-c', PREPARE, 'sh', at('etc'), program, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '' },
    });
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
    });
    daemon = child;
    // A socket is there before anybody listens on it, and its CRI refuses calls for a moment after that.
    await eventually(async () => assert.ok(await answers(cri), `containerd did not start:\n${log}`), {
      everyMs: 100,
      isHopeless: () => child.exitCode !== null,
    });
  };
  const stop = async () => {
    const child = daemon;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    await rm(socket, { force: true });
  };
  try {
    await start();
  } catch (reason) {
    cri.close();
    await rm(dir, { recursive: true, force: true });
    throw reason;
  }
  return {
    cri,
    log: () => log,
    write,
    remove: (path) => rm(at(path)),
    async restart() {
      await stop();
      await start();
    },
    async [Symbol.asyncDispose]() {
      cri.close();
      await stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

function answers(cri: CriClient): Promise<boolean> {
  return cri.images().then(
    () => true,
    () => false,
  );
}
