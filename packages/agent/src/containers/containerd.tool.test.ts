import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createClient, createRouterTransport } from '@connectrpc/connect';
import { ContainersService } from '@plinth/api';
import { exists } from '@plinth/host';
import { eventually } from '@plinth/host/testing';
import { findGoComponent, loadGoComponents, readGoToolchainKey } from '@plinth/image';
import { endProcess } from '@plinth/image/testing';
import { containersService } from './containers-service.ts';
import { type CriClient, openCri } from './cri-client.ts';
import { pullImage } from './pull-image.ts';
import { startTinyRegistry, type TinyRegistry } from './testing/tiny-registry.ts';

// Against the containerd that is compiled for the image, with an image from a registry on loopback. Only where it is
// compiled already; it needs the rights of root for its folders.

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const component = (await loadGoComponents(join(repository, 'go'))).get('containerd');
const built =
  component && (await findGoComponent(component, await readGoToolchainKey(join(repository, 'os'))));
const program = built?.programs.get('containerd');
const skip =
  (!program && 'containerd is not compiled on this machine') ||
  (process.getuid?.() !== 0 && 'containerd needs root');

const never = new AbortController().signal;

suite('containerd', { skip }, () => {
  let folder = '';
  let daemon: ChildProcess | undefined;
  let registry: TinyRegistry;
  let cri: CriClient;
  let image = '';
  const client = () => createClient(ContainersService, createRouterTransport(containersService(cri)));

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plinth-containerd-'));
    registry = await startTinyRegistry(6 * 1024 * 1024, 1500);
    image = `${registry.host}/${registry.repository}:1`;
    const socket = join(folder, 'containerd.sock');
    daemon = await startContainerd(program ?? '', folder, socket, registry.host);
    cri = openCri(socket);
  });
  after(async () => {
    cri?.close();
    if (daemon) await endProcess(daemon);
    await registry?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  test('it has no pods, containers and images', async () => {
    assert.deepEqual((await client().listPods({})).pods, []);
    assert.deepEqual((await client().listContainers({})).containers, []);
    assert.deepEqual((await client().listImages({})).images, []);
  });

  test('an image is pulled, and seen on its way', async () => {
    const seen: { receivedBytes: number; totalBytes: number; imageId?: string }[] = [];
    for await (const progress of pullImage(cri, image, never, 50)) seen.push(progress);
    const last = seen.at(-1);
    assert.equal(last?.imageId, registry.imageId);
    assert.ok(
      seen.some(
        ({ receivedBytes, totalBytes }) =>
          receivedBytes > 1_000_000 && totalBytes > 6_000_000 && receivedBytes < totalBytes,
      ),
      JSON.stringify(seen),
    );
    const { images } = await client().listImages({});
    assert.deepEqual(
      images.map(({ id, tags, pinned }) => [id, tags, pinned]),
      [[registry.imageId, [image], false]],
    );
    assert.ok((images[0]?.sizeBytes ?? 0n) > 0n);
    assert.ok(registry.asked.some((each) => /^GET .*\/blobs\/sha256:/.test(each)));
  });

  test('what the registry does not have, and a registry that is away, are told apart', async () => {
    await assert.rejects(cri.pull(`${registry.host}/${registry.repository}:2`), {
      code: 'containers/image-missing',
    });
    await assert.rejects(cri.pull('127.0.0.1:1/a:1'), { code: 'containers/pull-failed' });
  });

  test('it is removed by one of its names, once', async () => {
    assert.equal((await client().removeImage({ image })).imageId, registry.imageId);
    assert.deepEqual((await client().listImages({})).images, []);
    await assert.rejects(client().removeImage({ image }), /does not have it/);
    await assert.rejects(client().removeImage({ image: registry.imageId }), /does not have it/);
  });

  test('when it ends it is unreachable', async () => {
    if (daemon) await endProcess(daemon);
    await assert.rejects(cri.images(), { code: 'containers/runtime-unreachable' });
  });
});

async function startContainerd(
  path: string,
  folder: string,
  socket: string,
  registryHost: string,
): Promise<ChildProcess> {
  const hosts = join(folder, 'certs.d', registryHost);
  await mkdir(hosts, { recursive: true });
  await writeFile(join(hosts, 'hosts.toml'), `server = "http://${registryHost}"\n`);
  const config = join(folder, 'config.toml');
  await writeFile(
    config,
    [
      'version = 3',
      `root = "${join(folder, 'root')}"`,
      `state = "${join(folder, 'state')}"`,
      // What is tried is the API, not what this machine can mount.
      '[plugins."io.containerd.cri.v1.images"]',
      'snapshotter = "native"',
      '[plugins."io.containerd.cri.v1.images".registry]',
      `config_path = "${join(folder, 'certs.d')}"`,
      '[plugins."io.containerd.service.v1.diff-service"]',
      'default = ["walking"]',
      '[[plugins."io.containerd.transfer.v1.local".unpack_config]]',
      'platform = "linux/amd64"',
      'snapshotter = "native"',
      'differ = "walking"',
      '',
    ].join('\n'),
  );
  const daemon = spawn(path, ['--config', config, '--address', socket], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const log: string[] = [];
  daemon.stderr?.on('data', (chunk: Buffer) => log.push(chunk.toString()));
  const patience = { everyMs: 200, isHopeless: () => daemon.exitCode !== null };
  await eventually(async () => assert.ok(await exists(socket), log.join('')), patience);
  // The socket is there before the plugin behind it is.
  const cri = openCri(socket);
  await eventually(() => assert.doesNotReject(cri.images(), log.join('')), patience);
  cri.close();
  return daemon;
}
