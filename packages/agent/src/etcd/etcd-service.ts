import { create } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from '@connectrpc/connect';
import {
  DefragmentEtcdResponseSchema,
  EtcdService,
  FailureSchema,
  ListEtcdMembersResponseSchema,
  RemoveEtcdMemberResponseSchema,
  type RestoreEtcdRequest,
  RestoreEtcdResponseSchema,
  SnapshotEtcdResponseSchema,
} from '@plinth/api';
import { type ErrorCode, PlinthError } from '@plinth/base';
import type { EtcdOperations } from './etcd-operations.ts';
import { quorumOf } from './judge-loss.ts';

/**
 * A snapshot of 8 GiB over a slow line, or a restore with minutes for the unit and minutes to come back. The calls that
 * are short have their own limits towards etcd.
 */
const LONG_CALL_LIMIT_MS = 60 * 60_000;

/** etcdService gives the routes of plinth.node.v1.EtcdService. */
export function etcdService(etcd: EtcdOperations): (router: ConnectRouter) => void {
  return (router) => {
    const routes: ServiceImpl<typeof EtcdService> = {
      listEtcdMembers: () =>
        answer(async () => {
          const members = await etcd.listMembers();
          const voters = members.filter(({ learner }) => !learner);
          return create(ListEtcdMembersResponseSchema, {
            members: members.map(({ status, ...member }) => ({
              ...member,
              dbSizeBytes: BigInt(status?.dbSizeBytes ?? 0),
              dbInUseBytes: BigInt(status?.dbInUseBytes ?? 0),
              version: status?.version ?? '',
            })),
            quorum: quorumOf(voters.length),
            healthy: voters.filter(({ healthy }) => healthy).length,
          });
        }),
      removeEtcdMember: ({ id, override }) =>
        answer(async () => {
          if (!/^[0-9a-f]{1,16}$/.test(id))
            throw new ConnectError(
              'id is not a member id, expected up to 16 hexadecimal digits',
              Code.InvalidArgument,
            );
          await etcd.removeMember(id, override);
          return create(RemoveEtcdMemberResponseSchema);
        }),
      defragmentEtcd: () =>
        answer(async () => {
          const { beforeBytes, afterBytes, durationMs } = await etcd.defragment();
          return create(DefragmentEtcdResponseSchema, {
            beforeBytes: BigInt(beforeBytes),
            afterBytes: BigInt(afterBytes),
            duration: durationFromMs(durationMs),
          });
        }),
      async *snapshotEtcd(_request, context) {
        try {
          for await (const { bytes, remainingBytes } of etcd.snapshot(context.signal))
            yield create(SnapshotEtcdResponseSchema, {
              chunk: bytes,
              remainingBytes: BigInt(remainingBytes),
            });
        } catch (reason) {
          throw toConnectError(reason);
        }
      },
      restoreEtcd: (requests) =>
        answer(async () => {
          const stream = requests[Symbol.asyncIterator]();
          const first = await stream.next();
          if (first.done)
            throw new ConnectError('nothing was sent, expected a snapshot', Code.InvalidArgument);
          const { confirm, sizeBytes } = first.value;
          const revision = await etcd.restore(confirm, Number(sizeBytes), chunks(first.value, stream));
          return create(RestoreEtcdResponseSchema, { revision: BigInt(revision) });
        }),
    };
    router.service(EtcdService, routes, { maxTimeoutMs: LONG_CALL_LIMIT_MS });
  };
}

async function* chunks(first: RestoreEtcdRequest, rest: AsyncIterator<RestoreEtcdRequest>) {
  yield first.chunk;
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value.chunk;
}

async function answer<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (reason) {
    throw toConnectError(reason);
  }
}

const CODES: Partial<Record<ErrorCode, Code>> = {
  'etcd/no-member': Code.FailedPrecondition,
  'etcd/quorum-at-risk': Code.FailedPrecondition,
  'etcd/refused': Code.FailedPrecondition,
  'etcd/not-confirmed': Code.InvalidArgument,
  'etcd/snapshot-damaged': Code.InvalidArgument,
  'etcd/unreachable': Code.Unavailable,
};

/** The node's own reason goes with the answer: its messages hold no secret. */
function toConnectError(reason: unknown): unknown {
  if (!(reason instanceof PlinthError)) return reason;
  const { code, message, hint } = reason;
  return new ConnectError(message, CODES[code] ?? Code.Internal, undefined, [
    { desc: FailureSchema, value: create(FailureSchema, { code, message, hint }) },
  ]);
}
