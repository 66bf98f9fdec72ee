import { setTimeout as sleep } from 'node:timers/promises';
import type { PlinthCli } from './plinth-cli.ts';

const GROUP = 'fleet.plinth.dev/v1alpha1';
const NAMESPACE = 'plinth-fleet';
const POLICY = 'workers';
const POLL_MS = 3_000;
/** Two machines one after the other, each staged, emptied, started and on trial, without KVM and beside others. */
const PATIENCE_MS = 90 * 60_000;

/** A cluster with the operator in it, seen by kubectl as its user sees it. */
export interface FleetCluster {
  /** Arguments by which the operator's commands find it. */
  readonly kubeconfig: readonly string[];
  /** Makes the release, and the policy of the workers too when there is none; the policy gets it. */
  offer(version: string, rootHash: string): Promise<void>;
  /** Version that each node runs, as the operator knows it. */
  versions(): Promise<ReadonlyMap<string, string>>;
  /** Phase of each node's update. */
  phases(): Promise<ReadonlyMap<string, string>>;
  /** Of the newest rollout. */
  rolloutPhase(): Promise<string>;
  /** By the name of the node. */
  bootIds(): Promise<ReadonlyMap<string, string>>;
  /** Nodes that are not Ready. */
  away(): Promise<readonly string[]>;
  /** Ends the operator that leads, without a warning. */
  killLeader(): Promise<void>;
  until(what: string, ask: () => Promise<boolean>): Promise<void>;
}

interface KubeObject {
  readonly metadata: { readonly name: string; readonly creationTimestamp: string };
  readonly spec: { readonly nodeName?: string; readonly holderIdentity?: string };
  readonly status?: {
    readonly phase?: string;
    readonly node?: { readonly booted?: { readonly version?: string } };
    readonly nodeInfo?: { readonly bootID: string };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

/** openFleetCluster looks at the cluster of the command line's current kubeconfig. */
export function openFleetCluster(plinth: PlinthCli, kubeconfigPath: string): FleetCluster {
  const list = async (kind: string): Promise<readonly KubeObject[]> =>
    JSON.parse(await plinth.kubectl(['get', kind, '-o', 'json'])).items;
  const byNode = async (kind: string, value: (object: KubeObject) => string) =>
    new Map((await list(kind)).map((each) => [each.metadata.name, value(each)]));
  const apply = (kind: string, name: string, spec: object) =>
    plinth.kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: GROUP, kind, metadata: { name }, spec }),
    );
  const kubeconfig = ['--kubeconfig', kubeconfigPath];
  return {
    kubeconfig,
    async offer(version, rootHash) {
      const release = `plinth-${version}`;
      await apply('PlinthRelease', release, { os: { version, rootHash } });
      await apply('UpdatePolicy', POLICY, policy(release));
    },
    versions: () => byNode('nodeupdates', ({ status }) => status?.node?.booted?.version ?? ''),
    phases: () => byNode('nodeupdates', ({ status }) => status?.phase ?? ''),
    bootIds: () => byNode('nodes', ({ status }) => status?.nodeInfo?.bootID ?? ''),
    async rolloutPhase() {
      const all = (await list('rollouts')).toSorted((a, b) =>
        a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp),
      );
      return all.at(-1)?.status?.phase ?? '';
    },
    async away() {
      const isReady = ({ status }: KubeObject) =>
        status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True');
      return (await list('nodes')).filter((node) => !isReady(node)).map(({ metadata }) => metadata.name);
    },
    async killLeader() {
      const lease: KubeObject = JSON.parse(
        await plinth.kubectl(['get', 'lease', 'plinth-fleet', '-n', NAMESPACE, '-o', 'json']),
      );
      const pod = (lease.spec.holderIdentity ?? '').split('_')[0] ?? '';
      if (pod === '') return;
      await plinth.kubectl([
        ...['delete', 'pod', pod, '-n', NAMESPACE],
        ...['--grace-period=0', '--force', '--ignore-not-found', '--wait=false'],
      ]);
    },
    async until(what, ask) {
      const deadline = performance.now() + PATIENCE_MS;
      let last: unknown = 'it was not so';
      while (performance.now() < deadline) {
        try {
          if (await ask()) return;
        } catch (reason) {
          // An API server that is busy refuses now and then.
          last = reason;
        }
        await sleep(POLL_MS);
      }
      const shown = await plinth.run(['fleet', 'status', ...kubeconfig, '-o', 'yaml']);
      throw new Error(`not in time: ${what}\n${shown.stdout.slice(-4000)}${shown.stderr.slice(-1000)}`, {
        cause: last,
      });
    },
  };
}

/** One worker at a time, and the patience that machines without KVM need. */
function policy(release: string) {
  return {
    release,
    nodeSelector: {
      matchExpressions: [{ key: 'node-role.kubernetes.io/control-plane', operator: 'DoesNotExist' }],
    },
    capacity: { maxUnavailable: 1, minAvailable: 1, headroom: { enabled: false } },
    topology: { maxUnavailablePerDomain: '100%' },
    waves: [
      { name: 'canary', perClass: 1, soak: '10s' },
      { upTo: '100%', soak: '0s' },
    ],
    pace: { mode: 'Fastest' },
    timeouts: { staging: '60m', reboot: '40m', ready: '20m', rollback: '40m' },
    nodeHealth: { ready: '10s', soak: '10s' },
  };
}
