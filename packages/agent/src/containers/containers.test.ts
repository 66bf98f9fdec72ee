import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Code, createClient, createRouterTransport } from '@connectrpc/connect';
import { ContainerState, ContainersService } from '@plinth/api';
import fc from 'fast-check';
import { containersService } from './containers-service.ts';
import { openCri } from './cri-client.ts';
import { ContainerState as CriState, PodSandboxState } from './gen/cri_pb.ts';
import { checkImageName } from './image-name.ts';
import { pullImage } from './pull-image.ts';
import { imageId, startFakeCri } from './testing/fake-cri.ts';

const never = new AbortController().signal;
const NAME = 'registry.example/app:1';

async function started() {
  const fake = await startFakeCri();
  const cri = openCri(fake.socket);
  const client = createClient(ContainersService, createRouterTransport(containersService(cri)));
  const close = async () => {
    cri.close();
    await fake[Symbol.asyncDispose]();
  };
  return { fake, cri, client, [Symbol.asyncDispose]: close };
}

test('pods and containers are told as the runtime has them, in order', async () => {
  await using node = await started();
  node.fake.pods = [
    { id: 'p2', metadata: { name: 'b', namespace: 'kube-system', uid: 'u2' }, createdAt: 1_500_000_000n },
    { id: 'p1', metadata: { name: 'a', namespace: 'kube-system' }, state: PodSandboxState.SANDBOX_NOTREADY },
  ];
  node.fake.addresses = { p2: '10.0.0.2', p1: '10.0.0.1' };
  const { pods } = await node.client.listPods({});
  assert.deepEqual(
    pods.map(({ name, ready, address, uid }) => [name, ready, address, uid]),
    [
      ['a', false, '', ''],
      ['b', true, '10.0.0.2', 'u2'],
    ],
  );
  assert.deepEqual([pods[1]?.createdAt?.seconds, pods[1]?.createdAt?.nanos], [1n, 500_000_000]);
  const labels = { 'io.kubernetes.pod.name': 'a', 'io.kubernetes.pod.namespace': 'kube-system' };
  const one = { labels, podSandboxId: 'p1', imageRef: 'sha256:1', image: { userSpecifiedImage: NAME } };
  node.fake.containers = [
    { ...one, id: 'c1', metadata: { name: 'x', attempt: 0 }, state: CriState.CONTAINER_EXITED },
    { ...one, id: 'c2', metadata: { name: 'x', attempt: 1 }, state: CriState.CONTAINER_RUNNING },
    { ...one, id: 'c3', metadata: { name: 'w' }, state: CriState.CONTAINER_UNKNOWN },
  ];
  const { containers } = await node.client.listContainers({});
  assert.deepEqual(
    containers.map(({ id, name, state, attempt, pod, image }) => [id, name, state, attempt, pod, image]),
    [
      ['c3', 'w', ContainerState.UNSPECIFIED, 0, 'a', NAME],
      ['c2', 'x', ContainerState.RUNNING, 1, 'a', NAME],
      ['c1', 'x', ContainerState.EXITED, 0, 'a', NAME],
    ],
  );
});

test('an image is pulled with its progress, listed, and removed', async () => {
  await using node = await started();
  node.fake.registry.add(NAME);
  let arrive = () => {};
  node.fake.arrival = new Promise((resolve) => {
    arrive = resolve;
  });
  node.fake.ingests = [{ ref: 'layer-1', offset: 100n, total: 1000n }];
  const progress: string[] = [];
  for await (const { receivedBytes, totalBytes, imageId: id } of pullImage(node.cri, NAME, never, 5)) {
    progress.push(`${receivedBytes}/${totalBytes}${id ? ` ${id}` : ''}`);
    if (progress.length === 1) node.fake.ingests = [{ ref: 'layer-2', offset: 50n, total: 500n }];
    if (progress.length === 2) arrive();
  }
  assert.deepEqual(progress, ['100/1000', '1050/1500', `1500/1500 ${imageId(NAME)}`]);
  assert.deepEqual([...new Set(node.fake.namespaces)], ['k8s.io']);
  const { images } = await node.client.listImages({});
  assert.deepEqual(
    images.map(({ id, tags, sizeBytes }) => [id, tags, sizeBytes]),
    [[imageId(NAME), [NAME], 1000n]],
  );
  assert.deepEqual((await node.client.removeImage({ image: NAME })).imageId, imageId(NAME));
  await assert.rejects(node.client.removeImage({ image: NAME }), { code: Code.NotFound });
});

test('a pull that fails says why; one whose client hangs up goes on in the runtime and keeps its place', async () => {
  await using node = await started();
  const answers = node.client.pullImage({ image: NAME });
  await assert.rejects(answers[Symbol.asyncIterator]().next(), { code: Code.NotFound });
  node.fake.registry.add(NAME);
  let arrive = () => {};
  node.fake.arrival = new Promise((resolve) => {
    arrive = resolve;
  });
  const hangUp = new AbortController();
  let ended = false;
  const reading = (async () => {
    for await (const _each of pullImage(node.cri, NAME, hangUp.signal, 5)) assert.fail('nothing to tell');
    ended = true;
  })();
  await sleep(20);
  hangUp.abort();
  await sleep(20);
  assert.equal(ended, false, 'it is still at work');
  arrive();
  await reading;
  assert.equal(node.fake.images.length, 1);
});

test('what is pinned or used stays', async () => {
  await using node = await started();
  const used = 'registry.example/used:1';
  node.fake.images = [
    { id: imageId(NAME), repoTags: [NAME], pinned: true },
    { id: imageId(used), repoTags: [used] },
  ];
  node.fake.containers = [{ id: 'c', metadata: { name: 'web' }, imageRef: imageId(used) }];
  await assert.rejects(node.client.removeImage({ image: NAME }), /part of the system/);
  await assert.rejects(node.client.removeImage({ image: used }), /container web uses it/);
  await assert.rejects(node.client.removeImage({ image: imageId(used) }), /container web uses it/);
  assert.equal(node.fake.images.length, 2);
});

test('a runtime that is away is unreachable, and the client finds it when it is back', async () => {
  const cri = openCri('/nowhere/containerd.sock');
  await assert.rejects(cri.pods(), { code: 'containers/runtime-unreachable', retryable: true });
  const failing = createClient(ContainersService, createRouterTransport(containersService(cri)));
  await assert.rejects(failing.listPods({}), { code: Code.Unavailable });
  cri.close();
});

test('image names are whole, or refused', () => {
  const good = [
    NAME,
    'localhost:5000/a/b-c__d.e:v1.2_3',
    `registry.example:443/a@sha256:${'a'.repeat(64)}`,
    `127.0.0.1:5000/a:1@sha256:${'0'.repeat(64)}`,
    '[::1]:5000/a:1',
  ];
  for (const name of good) assert.equal(checkImageName(name), name);
  const bad = [
    '',
    'app',
    'app:1',
    'library/app:1',
    'registry.example/app',
    'registry.example/App:1',
    'registry.example/../app:1',
    'registry.example/app:1 --x',
    'registry.example/app@sha256:00',
    'http://registry.example/app:1',
    'user:pass@registry.example/app:1',
    `registry.example/${'a'.repeat(600)}:1`,
  ];
  for (const name of bad)
    assert.throws(() => checkImageName(name), { code: 'containers/image-invalid' }, name);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      try {
        assert.match(checkImageName(name), /^[\w.:[\]-]+\/[\w./@:-]+$/);
      } catch (reason) {
        assert.ok(reason instanceof Error && 'code' in reason);
      }
    }),
  );
});
