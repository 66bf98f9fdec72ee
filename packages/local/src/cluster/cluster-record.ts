import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { ioError, isErrno, removeTree, stateDir, withLock, writeFileAtomic } from '@plinth/host';
import { type ClusterMember, type ClusterNetwork, checkClusterName } from './cluster-network.ts';

/** What is kept about a cluster of machines in its cluster.json. What the nodes themselves know is asked of them. */
export interface ClusterRecord {
  readonly format: 1;
  readonly name: string;
  /** Kubernetes version it was made with, "1.37.1". */
  readonly kubernetesVersion: string;
  readonly controlPlanesTakeWorkloads: boolean;
  readonly network: ClusterNetwork;
  /** In the order they were added; the first control plane is the one that is bootstrapped. */
  readonly members: readonly ClusterMember[];
  readonly createdAt: string;
}

const RECORD_FILE = 'cluster.json';
/** Bound on a record before it is parsed: hundreds of members stay far below. */
const RECORD_LIMIT_BYTES = 256 * 1024;

/** clustersRoot is the folder that holds one folder a cluster, beside the machines. */
export function clustersRoot(): string {
  return join(stateDir(), 'clusters');
}

/** clusterFolder is the folder of one cluster. @throws cluster/bad-spec for a name that is not one */
export function clusterFolder(name: string, root: string = clustersRoot()): string {
  checkClusterName(name);
  return join(root, name);
}

/** kubeconfigPath is where the kubeconfig of a local cluster is kept. */
export function kubeconfigPath(name: string, root?: string): string {
  return join(clusterFolder(name, root), 'kubeconfig');
}

/** listClusters gives the clusters of this user by name. @throws cluster/bad-record, host/io */
export async function listClusters(root: string = clustersRoot()): Promise<ClusterRecord[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch((reason) => {
    if (isErrno(reason, 'ENOENT')) return [];
    throw ioError(reason, `list the clusters in ${root}`);
  });
  const records = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map(({ name }) => readCluster(name, root)),
  );
  return records.flatMap((record) => record ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** findCluster gives the cluster of that name. @throws cluster/not-found, cluster/bad-spec, cluster/bad-record */
export async function findCluster(name: string, root?: string): Promise<ClusterRecord> {
  const record = await readCluster(name, root);
  if (record) return record;
  throw new PlinthError('cluster/not-found', `Cannot find cluster "${name}": there is none of that name`);
}

/** readCluster is findCluster without the complaint. */
export async function readCluster(name: string, root?: string): Promise<ClusterRecord | undefined> {
  const path = join(clusterFolder(name, root), RECORD_FILE);
  try {
    return parseClusterRecord(await readFile(path, 'utf8'), path);
  } catch (reason) {
    if (isErrno(reason, 'ENOENT')) return undefined;
    throw ioError(reason, `read ${path}`);
  }
}

/**
 * changeCluster reads, changes and writes a record while no other command does; the change sees the other clusters,
 * because names and networks must differ between them.
 * @throws cluster/bad-record, host/locked, host/io, and what `change` throws
 */
export async function changeCluster(
  name: string,
  change: (record: ClusterRecord | undefined, others: readonly ClusterRecord[]) => ClusterRecord,
  root: string = clustersRoot(),
): Promise<ClusterRecord> {
  const folder = clusterFolder(name, root);
  return withLock(`${root}.lock`, `change cluster "${name}"`, async () => {
    const all = await listClusters(root);
    const before = all.find((record) => record.name === name);
    const others = all.filter((record) => record !== before);
    const next = change(before, others);
    if (next === before) return next;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFileAtomic(join(folder, RECORD_FILE), `${JSON.stringify(next, null, 2)}\n`, 0o600);
    return next;
  });
}

/** forgetCluster removes the record and the kubeconfig; the machines are no business of it. @throws host/locked */
export async function forgetCluster(name: string, root: string = clustersRoot()): Promise<void> {
  const folder = clusterFolder(name, root);
  await withLock(`${root}.lock`, `forget cluster "${name}"`, () => removeTree(folder));
}

/** withCluster runs work while no other command brings the same cluster up or down. @throws host/locked */
export async function withCluster<T>(name: string, work: () => Promise<T>, root?: string): Promise<T> {
  return withLock(`${clusterFolder(name, root)}.lock`, `work on cluster "${name}"`, work);
}

/** parseClusterRecord checks the text of a cluster.json. @throws cluster/bad-record */
export function parseClusterRecord(text: string, path: string): ClusterRecord {
  const bad = (state: string, cause?: unknown) =>
    new PlinthError('cluster/bad-record', `Cannot read ${path}: ${state}`, { cause });
  if (text.length > RECORD_LIMIT_BYTES) {
    throw bad(`it has ${text.length} characters, expected at most ${RECORD_LIMIT_BYTES}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (reason) {
    throw bad('not JSON, expected a cluster record', reason);
  }
  if (isRecord(value)) return value;
  throw bad('fields missing or wrong, expected format 1');
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is ClusterRecord {
  return (
    isObject(value) &&
    value['format'] === 1 &&
    isText(value['name']) &&
    isText(value['kubernetesVersion']) &&
    typeof value['controlPlanesTakeWorkloads'] === 'boolean' &&
    isText(value['createdAt']) &&
    isNetwork(value['network']) &&
    Array.isArray(value['members']) &&
    value['members'].every(isMember)
  );
}

function isNetwork(value: unknown): value is ClusterNetwork {
  return (
    isObject(value) &&
    Number.isSafeInteger(value['index']) &&
    isText(value['group']) &&
    Number.isSafeInteger(value['port'])
  );
}

function isMember(value: unknown): value is ClusterMember {
  return (
    isObject(value) &&
    isText(value['name']) &&
    ['control-plane', 'worker'].includes(String(value['role'])) &&
    Number.isSafeInteger(value['host']) &&
    Number.isSafeInteger(value['memoryMiB']) &&
    Number.isSafeInteger(value['cpus'])
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
