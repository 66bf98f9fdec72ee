import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  type DefragmentEtcdResponse,
  EtcdService,
  type ListEtcdMembersResponse,
  type RestoreEtcdRequestSchema,
  type RestoreEtcdResponse,
} from './gen/plinth/node/v1/etcd_pb.ts';
import type { Answer } from './kubernetes-calls.ts';
import { type Fail, streamCall } from './stream-calls.ts';
import { checkReceived, cutIntoChunks, type Transfer } from './transfer.ts';

/** etcd's own advice for the largest database; no snapshot is larger. */
const SNAPSHOT_LIMIT_BYTES = 8 * 1024 ** 3;

/** The cluster's database, asked of a control plane. */
export interface EtcdCalls {
  members(): Promise<ListEtcdMembersResponse>;
  /** @param override the member's name, typed by a person; empty to be refused where the quorum would be lost */
  remove(id: string, override?: string): Promise<void>;
  defragment(timeoutMs: number): Promise<DefragmentEtcdResponse>;
  /** Gives the snapshot piece by piece. It holds every secret of the cluster. @param timeoutMs bound on the whole */
  snapshot(timeoutMs: number): AsyncGenerator<Uint8Array>;
  /** @param confirm the node's name, typed by a person: the present database is lost */
  restore(confirm: string, snapshot: Transfer, timeoutMs: number): Promise<RestoreEtcdResponse>;
}

/** etcdCalls are the calls of EtcdService over a transport. */
export function etcdCalls(transport: Transport, answer: Answer, fail: Fail): EtcdCalls {
  const client = createClient(EtcdService, transport);
  return {
    members: () => answer('ListEtcdMembers', client.listEtcdMembers({})),
    remove: async (id, override = '') => {
      await answer('RemoveEtcdMember', client.removeEtcdMember({ id, override }));
    },
    defragment: (timeoutMs) => answer('DefragmentEtcd', client.defragmentEtcd({}, { timeoutMs })),
    snapshot: (timeoutMs) =>
      checkReceived(
        streamCall('SnapshotEtcd', fail, (options) => client.snapshotEtcd({}, options), timeoutMs),
        SNAPSHOT_LIMIT_BYTES,
      ),
    restore: (confirm, snapshot, timeoutMs) =>
      answer('RestoreEtcd', client.restoreEtcd(restoreMessages(confirm, snapshot), { timeoutMs })),
  };
}

async function* restoreMessages(
  confirm: string,
  snapshot: Transfer,
): AsyncGenerator<MessageInitShape<typeof RestoreEtcdRequestSchema>> {
  yield { confirm, sizeBytes: BigInt(snapshot.sizeBytes) };
  for await (const chunk of cutIntoChunks(snapshot)) yield { chunk };
}
