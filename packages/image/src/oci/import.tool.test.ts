import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeText } from '@plinth/formats';
import { exists, run } from '@plinth/host';
import { eventually } from '@plinth/host/testing';
import { findGoComponent } from '../go/build-go-component.ts';
import { loadGoComponents } from '../go/go-component.ts';
import { readGoToolchainKey } from '../go/go-tools.ts';
import { writeOciArchive } from './write-oci-archive.ts';

// Our archives in our containerd, looked at through CRI as the kubelet does. Only where both are compiled already;
// containerd needs the rights of root for its folders.

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const key = await readGoToolchainKey(join(repository, 'os'));
const known = await loadGoComponents(join(repository, 'go'));
const programs = new Map<string, string>();
for (const name of ['containerd', 'crictl']) {
  const component = known.get(name);
  const built = component && (await findGoComponent(component, key));
  for (const [program, path] of built?.programs ?? []) programs.set(program, path);
}
const missing = ['containerd', 'plinth-images', 'crictl'].filter((name) => !programs.has(name));
const skip =
  (missing.length > 0 && `${missing.join(', ')} not compiled on this machine`) ||
  (process.getuid?.() !== 0 && 'containerd needs root');

let daemon: ChildProcess | undefined;
let dir = '';
after(async () => {
  if (daemon && daemon.exitCode === null) {
    const ended = new Promise((resolve) => daemon?.once('exit', resolve));
    daemon.kill('SIGTERM');
    await ended;
  }
  if (dir) await rm(dir, { recursive: true });
});

test('containerd takes an archive under its name and digest, pinned, and again without harm', {
  skip,
}, async () => {
  dir = await mkdtemp(join(tmpdir(), 'plinth-images-'));
  const address = await startContainerd();
  const { bytes, digest } = writeOciArchive({
    reference: 'plinth.local/example:1.2.3',
    entries: [{ kind: 'file', path: 'example', mode: 0o555, data: encodeText('program') }],
    entrypoint: ['/example'],
    epochSeconds: 1_763_700_000,
  });
  await writeFile(join(dir, 'example.tar'), bytes);
  for (const outcome of ['brought in', 'is there']) {
    const { stdout } = await run(programs.get('plinth-images') ?? '', [dir], {
      env: { CONTAINERD_ADDRESS: address },
    });
    assert.equal(stdout.toString(), `plinth.local/example:1.2.3 ${digest} ${outcome}\n`);
  }
  const endpoint = `unix://${address}`;
  const { stdout } = await run(programs.get('crictl') ?? '', [
    ...['--runtime-endpoint', endpoint, '--image-endpoint', endpoint, 'images', '-o=json'],
  ]);
  const { images } = JSON.parse(stdout.toString()) as {
    images: { repoTags: string[]; pinned: boolean }[];
  };
  const found = images.find(({ repoTags }) => repoTags.includes('plinth.local/example:1.2.3'));
  assert.equal(found?.pinned, true);
});

/** @returns the socket it listens on */
async function startContainerd(): Promise<string> {
  const address = join(dir, 'containerd.sock');
  await writeFile(
    join(dir, 'config.toml'),
    [
      'version = 3',
      `root = "${join(dir, 'root')}"`,
      `state = "${join(dir, 'state')}"`,
      // What is tried is the archive, not what this machine can mount.
      '[plugins."io.containerd.cri.v1.images"]',
      'snapshotter = "native"',
      '[plugins."io.containerd.service.v1.diff-service"]',
      'default = ["walking"]',
      '',
    ].join('\n'),
  );
  const log: string[] = [];
  const args = ['--config', join(dir, 'config.toml'), '--address', address];
  daemon = spawn(programs.get('containerd') ?? '', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  daemon.stderr?.on('data', (chunk: Buffer) => log.push(chunk.toString()));
  await eventually(async () => assert.ok(await exists(address), log.join('')), {
    everyMs: 100,
    isHopeless: () => daemon?.exitCode !== null,
  });
  return address;
}
