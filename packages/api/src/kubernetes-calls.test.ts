import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createRouterTransport, type ServiceImpl } from '@connectrpc/connect';
import type { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { etcdCalls } from './etcd-calls.ts';
import { EtcdService } from './gen/plinth/node/v1/etcd_pb.ts';
import { FailureSchema, InvitationSchema, KubernetesService } from './gen/plinth/node/v1/kubernetes_pb.ts';
import { kubernetesCalls } from './kubernetes-calls.ts';
import { callError } from './rpc-error.ts';
import { CHUNK_LIMIT_BYTES, checkReceived, cutIntoChunks } from './transfer.ts';

const endpoint = { address: '192.0.2.1', port: 7546 };
const fail = (reason: unknown, method: string) => callError(reason, method, endpoint);
const answer = <T>(method: string, call: Promise<T>) =>
  call.catch((reason) => {
    throw fail(reason, method);
  });

const kubernetes = (routes: Partial<ServiceImpl<typeof KubernetesService>>) =>
  kubernetesCalls(
    createRouterTransport(({ service }) => service(KubernetesService, routes)),
    answer,
  );
const etcd = (routes: Partial<ServiceImpl<typeof EtcdService>>) =>
  etcdCalls(
    createRouterTransport(({ service }) => service(EtcdService, routes)),
    answer,
    fail,
  );
const refusal = (code: string, hint: string) =>
  new ConnectError('no', Code.FailedPrecondition, undefined, [
    { desc: FailureSchema, value: create(FailureSchema, { code, message: 'Cannot bootstrap: x', hint }) },
  ]);

/** The pieces of `bytes`, cut at the given places. */
async function* cutAt(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

for (const [title, code, hint, expected] of [
  ['a code this client knows', 'cli/usage', 'Do y.', ['cli/usage', 'Do y.']],
  ['a code of a newer node', 'kubernetes/from-the-future', 'Do y.', ['api/refused', 'Do y.']],
] as const) {
  test(`a refusal with ${title} keeps message and hint of the node`, async () => {
    const calls = kubernetes({
      bootstrap: () => {
        throw refusal(code, hint);
      },
    });
    await assert.rejects(calls.bootstrap({}), (error: PlinthError) => {
      assert.deepEqual([error.code, error.hint], expected);
      assert.equal(error.message, 'Cannot bootstrap: x');
      assert.deepEqual(error.details, { node: '192.0.2.1:7546', nodeCode: code });
      return true;
    });
  });
}

test('a refusal without a hint of its own gets that of its code', async () => {
  const calls = kubernetes({
    bootstrap: () => {
      throw refusal('api/refused', '');
    },
  });
  await assert.rejects(calls.bootstrap({}), { code: 'api/refused', hint: /^Bring the node/ });
});

test('an answer without its invitation is no invitation', async () => {
  await assert.rejects(kubernetes({ inviteNode: () => ({}) }).invite({}), { code: 'api/protocol' });
});

test('join hands the invitation over as it came', async () => {
  const invitation = create(InvitationSchema, { nodeId: 'a', token: 'b', apiServers: ['c:6443'] });
  let seen: unknown;
  const calls = kubernetes({
    inviteNode: () => ({ invitation }),
    join: (request) => {
      seen = request.invitation;
      return {};
    },
  });
  await calls.join(await calls.invite({ nodeId: 'a' }));
  assert.deepEqual(seen, invitation);
});

test('stageLayer announces the layer first and sends all of it in small pieces', async () => {
  const bytes = Uint8Array.from({ length: 3 * CHUNK_LIMIT_BYTES + 5 }, (_, index) => index % 251);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const sizes: number[] = [];
  let progress = 0;
  const calls = kubernetes({
    stageLayer: async (messages) => {
      const hash = createHash('sha256');
      let announced: { version: string; sizeBytes: bigint; sha256: string } | undefined;
      for await (const message of messages) {
        if (!announced) {
          announced = message;
          continue;
        }
        sizes.push(message.chunk.length);
        hash.update(message.chunk);
      }
      assert.equal(hash.digest('hex'), announced?.sha256);
      return { layer: { version: announced?.version ?? '', sizeBytes: announced?.sizeBytes ?? 0n } };
    },
  });
  const layer = await calls.stageLayer({
    ...{ version: '1.37.1', sha256, sizeBytes: bytes.length, timeoutMs: 2_000 },
    content: cutAt(bytes, [CHUNK_LIMIT_BYTES * 2]),
    onProgress: (sentBytes) => {
      progress = sentBytes;
    },
  });
  assert.deepEqual([layer.version, layer.sizeBytes], ['1.37.1', BigInt(bytes.length)]);
  assert.ok(sizes.every((size) => size > 0 && size <= CHUNK_LIMIT_BYTES));
  assert.equal(progress, bytes.length);
});

test('cutIntoChunks gives the same bytes however they come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(400)), async (bytes, sizes) => {
      const chunks: Uint8Array[] = [];
      const content = cutAt(bytes, sizes);
      for await (const chunk of cutIntoChunks({ sizeBytes: bytes.length, content })) chunks.push(chunk);
      assert.deepEqual(Buffer.concat(chunks), Buffer.from(bytes));
    }),
  );
});

for (const announced of [9, 11]) {
  test(`a file of 10 bytes announced with ${announced} is api/broken-transfer`, async () => {
    const read = async () => {
      const content = cutAt(new Uint8Array(10), [4]);
      for await (const _ of cutIntoChunks({ sizeBytes: announced, content })) {
        // only the end of it counts
      }
    };
    await assert.rejects(read, { code: 'api/broken-transfer' });
  });
}

async function receive(messages: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of messages) length += chunk.length;
  return length;
}

async function* snapshotOf(pieces: readonly (readonly [length: number, remaining: number])[]) {
  for (const [length, remaining] of pieces) {
    yield { chunk: new Uint8Array(length), remainingBytes: BigInt(remaining) };
  }
}

test('a snapshot comes whole', async () => {
  const calls = etcd({
    snapshotEtcd: () =>
      snapshotOf([
        [5, 7],
        [7, 0],
      ]),
  });
  assert.equal(await receive(calls.snapshot(2_000)), 12);
});

for (const [title, pieces] of [
  ['ends early', [[5, 7]]],
  [
    'does not add up',
    [
      [5, 7],
      [6, 0],
    ],
  ],
  ['has nothing', []],
  ['is larger than any', [[1, 9 * 1024 ** 3]]],
] as const) {
  test(`a snapshot that ${title} is api/broken-transfer`, async () => {
    const calls = etcd({ snapshotEtcd: () => snapshotOf(pieces) });
    await assert.rejects(receive(calls.snapshot(2_000)), { code: 'api/broken-transfer' });
  });
}

test('checkReceived passes every size on that adds up', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(50), { minLength: 1 }), async (sizes) => {
      const total = sizes.reduce((sum, size) => sum + size, 0);
      let left = total;
      const pieces = sizes.map((size): [number, number] => {
        left -= size;
        return [size, left];
      });
      assert.equal(await receive(checkReceived(snapshotOf(pieces), total)), total);
    }),
  );
});

test('a refused snapshot is the error of the node', async () => {
  const calls = etcd({
    // biome-ignore lint/correctness/useYield: it fails before the first piece
    async *snapshotEtcd() {
      throw refusal('api/refused', 'Do y.');
    },
  });
  await assert.rejects(receive(calls.snapshot(2_000)), { code: 'api/refused', hint: 'Do y.' });
});

test('restore sends the confirmation with the first message only', async () => {
  const confirmations: string[] = [];
  const calls = etcd({
    restoreEtcd: async (messages) => {
      for await (const { confirm } of messages) confirmations.push(confirm);
      return { revision: 4n };
    },
  });
  const snapshot = { sizeBytes: 10, content: cutAt(new Uint8Array(10), [4]) };
  assert.equal((await calls.restore('node-1', snapshot, 2_000)).revision, 4n);
  assert.deepEqual(confirmations, ['node-1', '', '']);
});
