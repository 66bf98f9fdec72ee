import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from '@connectrpc/connect';
import type { EtcdService } from '../gen/plinth/node/v1/etcd_pb.ts';
import {
  type ActKind,
  ActState,
  CisVerdict,
  type ClusterSpec,
  type InviteNodeRequest,
  ActKind as Kind,
  type KubernetesService,
  Membership,
  NodeRole,
} from '../gen/plinth/node/v1/kubernetes_pb.ts';
import { HealthState, type NodeService, Verdict } from '../gen/plinth/node/v1/node_pb.ts';
import { actKindName } from '../names.ts';
import { FakeAccess } from './fake-access.ts';
import { FakeLogs } from './fake-logs.ts';
import { FakeMachine } from './fake-machine.ts';
import { fakeSystem } from './fake-system.ts';
import type { FakePeer } from './fake-tunnel.ts';
import { FakeUpdate } from './fake-update.ts';
import { refusal } from './refusal.ts';

/** What fake nodes know of each other: invitations, and who is a member of etcd. */
export interface FakeWorld {
  readonly tokens: Map<string, string>;
  /** Names that a control plane was told to forget. */
  readonly forgotten: string[];
  readonly etcd: Set<string>;
  readonly log: string[];
  /** Nodes that are served, by name; each leads to the others. */
  readonly peers: Map<string, FakePeer>;
}

/** fakeWorld is a world in which nothing has happened. */
export function fakeWorld(): FakeWorld {
  return { tokens: new Map(), forgotten: [], etcd: new Set(), log: [], peers: new Map() };
}

interface FakeAct {
  readonly kind: ActKind;
  readonly apply: () => void;
  /** Steps that are done. */
  done: number;
  state: ActState;
}

const STEPS = ['Check the node', 'Do the work', 'Wait until it is healthy'];

/**
 * FakeNode keeps the rules of the contract in memory: one act at a time, no second bootstrap, an invitation for one node
 * and good once. Each GetKubernetes takes the act one step further. `failAt` lets one act fail at that step.
 */
export class FakeNode {
  readonly name: string;
  readonly nodeId: string;
  readonly world: FakeWorld;
  /** As a control plane: whether it invites only nodes whose TPM it is told of. */
  wantsTpm = false;
  /** What it was asked to invite. */
  readonly invitations: InviteNodeRequest[] = [];
  readonly machine: FakeMachine;
  readonly update: FakeUpdate;
  readonly system = fakeSystem();
  failAt: number | undefined;
  /** Runs before it answers about itself: a test makes it slow, or lets it fail. */
  before: () => Promise<void> = async () => {};
  /** Labels of its Node, for those it is a peer of. */
  labels: Readonly<Record<string, string>> = {};
  /** Whether a check of the CIS benchmark fails. */
  cisFails = false;
  /**
   * What it tells of its system: the root hash that its kernel enforces (empty: its root is not on dm-verity) and a check
   * that fails (empty: all pass). Undefined: it is too old to answer. And the root hashes of the layers it has merged.
   */
  runs:
    | {
        readonly rootHash: string;
        readonly failingCheck: string;
        readonly layerRootHashes?: readonly string[];
      }
    | undefined;
  membership: Membership = Membership.NONE;
  role: NodeRole = NodeRole.UNSPECIFIED;
  version = '';
  address = '';
  cluster: ClusterSpec | undefined;
  layers = ['1.37.1', '1.36.4'];
  database = new Uint8Array(100_000).fill(7);
  act: FakeAct | undefined;
  /** Routes of services that a test brings itself. */
  readonly more: ((router: ConnectRouter) => void)[] = [];

  constructor(name: string, world: FakeWorld) {
    this.name = name;
    this.nodeId = Buffer.from(name).toString('hex').padEnd(32, '0').slice(0, 32);
    this.world = world;
    this.machine = new FakeMachine(name);
    this.update = new FakeUpdate(this.machine);
  }

  /** Its logs, events, containers, images and files. */
  readonly logs = new FakeLogs();

  readonly access = new FakeAccess();

  readonly node: Partial<ServiceImpl<typeof NodeService>> = {
    getIdentity: async () => {
      await this.before();
      return {
        ...{ nodeName: this.name, nodeId: this.nodeId, addresses: ['192.0.2.7'] },
        bootId: `boot-${this.machine.boot}`,
      };
    },
    getVersions: () => {
      if (!this.runs) throw new ConnectError('no such method', Code.Unimplemented);
      return { imageId: 'plinth', imageVersion: this.update.booted.version };
    },
    getIntegrity: () => {
      if (!this.runs) throw new ConnectError('no such method', Code.Unimplemented);
      const { rootHash, failingCheck, layerRootHashes = [] } = this.runs;
      const verdict = failingCheck === '' ? Verdict.PASS : Verdict.FAIL;
      return {
        ...{ verdict, rootHash, layerRootHashes: [...layerRootHashes] },
        checks: [
          { id: 'dm-verity', verdict: rootHash === '' ? Verdict.UNKNOWN : Verdict.PASS },
          ...(failingCheck === '' ? [] : [{ id: failingCheck, verdict }]),
        ],
      };
    },
    getSlots: () => this.update.slots(),
    getBootReport: () => ({ bootId: `boot-${this.machine.boot}`, lastEnd: this.machine.lastEnd }),
    getHealth: async () => {
      await this.before();
      return { state: HealthState.HEALTHY, checks: [] };
    },
  };

  readonly kubernetes: Partial<ServiceImpl<typeof KubernetesService>> = {
    getKubernetes: () => {
      this.#advance();
      return {
        ...{ membership: this.membership, role: this.role, version: this.version },
        ...{ nodeAddress: this.address, ...(this.cluster && { cluster: this.cluster }) },
        layers: this.layers.map((version) => ({
          version,
          source: 'drive',
          active: version === this.version,
        })),
        ...(this.act && { act: this.#actMessage(this.act) }),
      };
    },
    getCis: () => {
      if (this.membership !== Membership.MEMBER) throw refusal('api/refused', 'it belongs to no cluster');
      const result = (id: string, verdict: CisVerdict, reason: string) => ({
        ...{ id, section: 'API server', title: `Check ${id}`, verdict, reason },
      });
      return {
        benchmark: 'CIS Kubernetes Benchmark 1.12',
        results: [
          result('1.2.1', CisVerdict.PASS, 'it is so'),
          result('1.2.2', this.cisFails ? CisVerdict.FAIL : CisVerdict.ACCEPTED, 'it is not so'),
          result('1.2.3', CisVerdict.MANUAL, 'ask'),
        ],
      };
    },
    bootstrap: ({ cluster, kubernetesVersion, nodeAddress }) => {
      if (this.membership === Membership.MEMBER) throw refusal('api/refused', 'it is a member already');
      this.#begin(Kind.BOOTSTRAP, () =>
        this.#become(NodeRole.CONTROL_PLANE, cluster, kubernetesVersion, nodeAddress),
      );
      return {};
    },
    inviteNode: (request) => {
      if (this.membership !== Membership.MEMBER || this.role !== NodeRole.CONTROL_PLANE) {
        throw refusal('api/refused', 'it is no control plane');
      }
      this.invitations.push(request);
      if (this.wantsTpm && !request.tpm) throw refusal('attest/enrolment-needed', 'its TPM is not known');
      const token = `token-${this.world.tokens.size}`;
      this.world.tokens.set(token, request.nodeId);
      const { nodeId, nodeName, role, nodeAddress } = request;
      const rest = { kubernetesVersion: this.version, ...(this.cluster && { cluster: this.cluster }) };
      return { invitation: { nodeId, nodeName, role, nodeAddress, token, ...rest } };
    },
    forgetNode: ({ nodeName }) => {
      if (this.membership !== Membership.MEMBER || this.role !== NodeRole.CONTROL_PLANE) {
        throw refusal('api/refused', 'it is no control plane');
      }
      this.world.forgotten.push(nodeName);
      return {};
    },
    join: ({ invitation }) => {
      if (!invitation || this.world.tokens.get(invitation.token) !== this.nodeId)
        throw refusal('api/refused', 'it is not invited');
      this.world.tokens.delete(invitation.token);
      const { role, cluster, kubernetesVersion, nodeAddress } = invitation;
      this.#begin(Kind.JOIN, () => this.#become(role, cluster, kubernetesVersion, nodeAddress));
      return {};
    },
    upgrade: ({ kubernetesVersion }) => {
      if (!this.layers.includes(kubernetesVersion)) throw refusal('api/refused', 'it has no such layer');
      this.#begin(Kind.UPGRADE, () => {
        this.version = kubernetesVersion;
      });
      return {};
    },
    leave: ({ override }) => {
      if (this.world.etcd.has(this.name) && this.world.etcd.size === 1 && override !== this.name) {
        throw refusal('api/refused', 'it is the last member of etcd');
      }
      this.#begin(Kind.LEAVE, () => {
        this.world.etcd.delete(this.name);
        this.membership = Membership.NONE;
        this.role = NodeRole.UNSPECIFIED;
      });
      return {};
    },
    getKubeconfig: ({ server }) => ({
      kubeconfig: JSON.stringify({
        'current-context': 'a',
        clusters: [
          {
            name: 'c',
            cluster: { server: server || 'https://192.0.2.7:6443', 'certificate-authority-data': 'YQ==' },
          },
        ],
        contexts: [{ name: 'a', context: { cluster: 'c', user: 'u' } }],
        users: [{ name: 'u', user: { 'client-certificate-data': 'YQ==', 'client-key-data': 'U0VDUkVU' } }],
      }),
    }),
    stageLayer: async (messages) => {
      let announced: { version: string; sizeBytes: bigint } | undefined;
      for await (const message of messages) announced ??= message;
      const version = announced?.version ?? '';
      this.layers = [...new Set([...this.layers, version])];
      return { layer: { version, source: 'staged', sizeBytes: announced?.sizeBytes ?? 0n } };
    },
  };

  readonly etcd: Partial<ServiceImpl<typeof EtcdService>> = {
    listEtcdMembers: () => {
      const names = [...this.world.etcd].sort();
      return {
        members: names.map((name, index) => ({
          ...{ id: Buffer.from(name).toString('hex'), name, healthy: true, leader: index === 0 },
          ...{ dbSizeBytes: 100_000n, dbInUseBytes: 50_000n, version: '3.6.5' },
        })),
        ...{ quorum: quorumOf(names.length), healthy: names.length },
      };
    },
    removeEtcdMember: ({ id, override }) => {
      const name = Buffer.from(id, 'hex').toString();
      const left = this.world.etcd.size - 1;
      if (left < quorumOf(this.world.etcd.size) && override !== name)
        throw refusal('api/refused', 'the quorum would be lost');
      this.world.etcd.delete(name);
      return {};
    },
    defragmentEtcd: () => ({ beforeBytes: 100_000n, afterBytes: 50_000n, duration: { seconds: 1n } }),
    snapshotEtcd: async function* (this: FakeNode) {
      const half = this.database.length / 2;
      yield { chunk: this.database.subarray(0, half), remainingBytes: BigInt(half) };
      yield { chunk: this.database.subarray(half), remainingBytes: 0n };
    }.bind(this),
    restoreEtcd: async (messages) => {
      const chunks: Uint8Array[] = [];
      for await (const { confirm, chunk } of messages) {
        if (chunks.length === 0 && confirm !== this.name)
          throw refusal('api/refused', 'it was not confirmed');
        chunks.push(chunk);
      }
      this.database = new Uint8Array(Buffer.concat(chunks));
      return { revision: 5n };
    },
  };

  #become(role: NodeRole, cluster: ClusterSpec | undefined, version: string, address: string): void {
    this.membership = Membership.MEMBER;
    this.role = role;
    this.cluster = cluster;
    this.version = version;
    this.address = address;
    if (role === NodeRole.CONTROL_PLANE) this.world.etcd.add(this.name);
  }

  #begin(kind: ActKind, apply: () => void): void {
    if (this.act?.state === ActState.RUNNING) throw refusal('api/refused', 'it is at another act');
    if (this.membership === Membership.NONE) this.membership = Membership.PENDING;
    this.world.log.push(`${actKindName(kind)} ${this.name}`);
    this.act = { kind, apply, done: 0, state: ActState.RUNNING };
  }

  #advance(): void {
    const { act } = this;
    if (act?.state !== ActState.RUNNING) return;
    if (act.done === this.failAt) {
      this.failAt = undefined;
      act.state = ActState.FAILED;
    } else if (++act.done === STEPS.length) {
      act.apply();
      act.state = ActState.DONE;
    }
  }

  #actMessage({ kind, done, state }: FakeAct) {
    const stateOf = (index: number) =>
      index < done ? ActState.DONE : index === done ? state : ActState.UNSPECIFIED;
    const failure = { code: 'api/refused', message: 'the disk is full', hint: 'Free some space.' };
    return {
      ...{ kind, state, ...(state === ActState.FAILED && { failure }) },
      steps: STEPS.map((title, index) => ({ name: `step-${index + 1}`, title, state: stateOf(index) })),
    };
  }
}

function quorumOf(members: number): number {
  return Math.floor(members / 2) + 1;
}
