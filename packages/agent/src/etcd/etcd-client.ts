import type { IncomingMessage } from 'node:http';
import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import { type HttpsEndpoint, openHttps, parseJson } from '../https/call-https.ts';
import { errorCode, isMissing, type Sys } from '../sys/sys.ts';

/** A member as etcd lists it. */
export interface ListedMember {
  /** Hexadecimal, as etcd's own tools show it. */
  readonly id: string;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly learner: boolean;
}

/** What a member says of itself. */
export interface MemberStatus {
  readonly id: string;
  /** Member id of the leader, "0" when there is none. */
  readonly leader: string;
  readonly version: string;
  readonly dbSizeBytes: number;
  readonly dbInUseBytes: number;
  readonly revision: number;
  /** Largest size of the database that it takes. */
  readonly quotaBytes: number;
  /** What etcd complains about. */
  readonly errors: readonly string[];
}

/** Who may ask etcd; kubeadm made the files for its own health checks. */
export type EtcdCredentials = Omit<HttpsEndpoint, 'host' | 'port'>;

/** The member of this node. */
export const LOCAL_ETCD = { host: '127.0.0.1', port: 2379 } as const;
export const ETCD_PKI = '/etc/kubernetes/pki/etcd';

const TIMEOUT_MS = 10_000;
/** The member copies its whole file. */
const DEFRAGMENT_MS = 10 * 60_000;
const ANSWER_LIMIT_BYTES = 1024 * 1024;
/** What etcd takes when it is not told (--quota-backend-bytes). */
const DEFAULT_QUOTA_BYTES = 2 * 1024 ** 3;

const memberId = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform((text) => BigInt(text).toString(16));
const int64 = z
  .string()
  .regex(/^\d{1,19}$/)
  .transform(Number)
  .default(0);
const headerSchema = z.object({ member_id: memberId, revision: int64 });
const membersSchema = z.object({
  members: z
    .array(
      z
        .object({
          ID: memberId,
          name: z.string().default(''),
          peerURLs: z.array(z.string()).default([]),
          clientURLs: z.array(z.string()).default([]),
          isLearner: z.boolean().default(false),
        })
        .transform(
          (member): ListedMember => ({
            id: member.ID,
            name: member.name,
            peerUrls: member.peerURLs,
            clientUrls: member.clientURLs,
            learner: member.isLearner,
          }),
        ),
    )
    .max(100),
});
const statusSchema = z
  .object({
    header: headerSchema,
    version: z.string(),
    dbSize: int64,
    dbSizeInUse: int64,
    dbSizeQuota: int64,
    leader: memberId.default('0'),
    errors: z.array(z.string()).default([]),
  })
  .transform(
    (status): MemberStatus => ({
      id: status.header.member_id,
      leader: status.leader,
      version: status.version,
      dbSizeBytes: status.dbSize,
      dbInUseBytes: status.dbSizeInUse,
      revision: status.header.revision,
      quotaBytes: status.dbSizeQuota || DEFAULT_QUOTA_BYTES,
      errors: status.errors,
    }),
  );
const alarmsSchema = z.object({
  alarms: z
    .array(z.object({ alarm: z.string().max(100).default('NONE') }))
    .max(1000)
    .default([]),
});
const errorSchema = z.object({ message: z.string().optional(), error: z.unknown().optional() });

/** One member, asked through etcd's own JSON gateway. Failures are PlinthError etcd/unreachable, etcd/refused,
 * etcd/answer-invalid. */
export interface EtcdClient {
  /** All members as this one knows them, also when the cluster has no quorum. */
  listMembers(): Promise<readonly ListedMember[]>;
  status(): Promise<MemberStatus>;
  /** Kinds of alarms that are raised in the cluster, each once: "NOSPACE", "CORRUPT". */
  alarms(): Promise<readonly string[]>;
  /** Takes minutes for a large file. */
  defragment(): Promise<void>;
  removeMember(id: string): Promise<void>;
  /** The snapshot as the gateway sends it; see readSnapshot. */
  openSnapshot(signal?: AbortSignal): Promise<IncomingMessage>;
  close(): void;
}

/** openEtcdClient gives a client of one member; nothing is sent before the first call. */
export function openEtcdClient(endpoint: HttpsEndpoint, timeoutMs = TIMEOUT_MS): EtcdClient {
  const https = openHttps(endpoint);
  const ask = async <T>(
    path: string,
    schema: z.ZodType<T>,
    body: object = {},
    limitMs = timeoutMs,
  ): Promise<T> => {
    const answer = await https
      .call({ method: 'POST', path: `/v3/${path}`, body, timeoutMs: limitMs }, ANSWER_LIMIT_BYTES)
      .catch((reason: unknown) => {
        throw unreachable(endpoint, reason);
      });
    const json = parseJson(answer.body);
    if (answer.status !== 200) throw refused(path, answer.status, json);
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    throw new PlinthError(
      'etcd/answer-invalid',
      `Cannot read etcd's answer to ${path}: ${parsed.error.issues[0]?.path.join('.') || 'it'} is not as expected, expected a supported version`,
    );
  };
  return {
    async listMembers() {
      return (await ask('cluster/member/list', membersSchema, { linearizable: false })).members;
    },
    status: () => ask('maintenance/status', statusSchema),
    async alarms() {
      const { alarms } = await ask('maintenance/alarm', alarmsSchema, { action: 'GET' });
      return [...new Set(alarms.map(({ alarm }) => alarm))].filter((alarm) => alarm !== 'NONE');
    },
    async defragment() {
      await ask('maintenance/defragment', z.object({}), {}, DEFRAGMENT_MS);
    },
    async removeMember(id) {
      await ask('cluster/member/remove', z.object({}), { ID: BigInt(`0x${id}`).toString() });
    },
    async openSnapshot(signal) {
      const call = { method: 'POST', path: '/v3/maintenance/snapshot', body: {}, timeoutMs: 60_000, signal };
      const answer = await https.open(call).catch((reason: unknown) => {
        throw unreachable(endpoint, reason);
      });
      if (answer.statusCode === 200) return answer;
      answer.destroy();
      throw refused('maintenance/snapshot', answer.statusCode ?? 0, undefined);
    },
    close: () => https.close(),
  };
}

/** readEtcdCredentials reads kubeadm's files. @throws etcd/no-member */
export async function readEtcdCredentials(
  sys: Pick<Sys, 'readFile'>,
  folder: string = ETCD_PKI,
): Promise<EtcdCredentials> {
  const read = async (name: string) => {
    try {
      return (await sys.readFile(`${folder}/${name}`)).toString('latin1');
    } catch (reason) {
      const state = isMissing(reason) ? 'the node runs no member' : errorCode(reason) || 'unreadable';
      throw new PlinthError(
        'etcd/no-member',
        `Cannot use ${folder}/${name}: ${state}, expected a control plane`,
      );
    }
  };
  return {
    caPem: await read('ca.crt'),
    certificatePem: await read('healthcheck-client.crt'),
    keyPem: await read('healthcheck-client.key'),
  };
}

function unreachable({ host, port }: HttpsEndpoint, reason: unknown): PlinthError {
  const state = reason instanceof Error ? reason.message : 'no connection';
  return new PlinthError(
    'etcd/unreachable',
    `Cannot ask etcd at ${host}:${port}: ${state}, expected an answer`,
    {
      retryable: true,
    },
  );
}

function refused(path: string, status: number, body: unknown): PlinthError {
  const message = errorSchema.safeParse(body).data?.message?.slice(0, 300);
  return new PlinthError(
    'etcd/refused',
    `Cannot do ${path}: HTTP status ${status}${message ? `, ${message}` : ''}, expected to be let`,
    { details: { status } },
  );
}
