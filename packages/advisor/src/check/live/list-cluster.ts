import { Agent, request } from 'node:https';
import { messageOf, PlinthError } from '@plinth/base';
import { at, isMap, type Json, type JsonMap, listAt, textAt } from '../model/json.ts';
import { toKubeObject } from '../model/kube-object.ts';
import type { Read } from '../read/read-sources.ts';
import type { ClusterAccess } from './kubeconfig.ts';

/** One kind that is listed, in the order in which it is. */
interface Listed {
  readonly apiVersion: string;
  readonly kind: string;
  readonly resource: string;
  /** Not every account may see it, and the check goes on without. */
  readonly note?: string;
}

/**
 * What a check lists: what pods come from first, so that findings stand in what a person wrote. No Secrets. The same list
 * is in data/check/rbac.yaml; a test holds them together.
 */
export const LISTED: readonly Listed[] = [
  { apiVersion: 'v1', kind: 'Node', resource: 'nodes' },
  { apiVersion: 'v1', kind: 'Namespace', resource: 'namespaces' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', resource: 'daemonsets' },
  { apiVersion: 'apps/v1', kind: 'Deployment', resource: 'deployments' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', resource: 'statefulsets' },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', resource: 'replicasets' },
  { apiVersion: 'v1', kind: 'ReplicationController', resource: 'replicationcontrollers' },
  { apiVersion: 'batch/v1', kind: 'CronJob', resource: 'cronjobs' },
  { apiVersion: 'batch/v1', kind: 'Job', resource: 'jobs' },
  { apiVersion: 'v1', kind: 'Pod', resource: 'pods' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', resource: 'poddisruptionbudgets' },
  { apiVersion: 'v1', kind: 'PersistentVolume', resource: 'persistentvolumes' },
  { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', resource: 'storageclasses' },
  { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', resource: 'csidrivers' },
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    resource: 'configmaps',
    note: 'scripts in ConfigMaps were not checked',
  },
];

/** Objects of one answer. Small pages keep the memory of both sides small. */
const PAGE = 100;
/** A hundred objects at the size etcd takes would be more; such a cluster is told. */
const PAGE_LIMIT_BYTES = 128 * 1024 * 1024;
/** Of one kind: more pages than any cluster has, against a server that never ends its list. */
const MOST_PAGES = 20_000;
const TIMEOUT_MS = 60_000;

/**
 * listCluster lists what a check looks at, page by page; an object is let go before the next page comes. A kind that the
 * account may not see is a problem, and the next kind follows.
 * @throws check/cluster-unreachable when the API server does not answer, or not as one
 */
export async function* listCluster(access: ClusterAccess, signal: AbortSignal): AsyncGenerator<Read> {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    minVersion: 'TLSv1.2',
    ...(access.authorityPem !== undefined && { ca: access.authorityPem }),
    ...(access.certificatePem !== undefined && { cert: access.certificatePem, key: access.keyPem }),
    ...(access.serverName !== undefined && { servername: access.serverName }),
    rejectUnauthorized: !access.isUnchecked,
  });
  try {
    if (access.isUnchecked)
      yield { kind: 'note', note: 'the kubeconfig says not to check the certificate of the API server' };
    for (const listed of LISTED) yield* listKind(listed, access, agent, signal);
  } finally {
    agent.destroy();
  }
}

async function* listKind(
  listed: Listed,
  access: ClusterAccess,
  agent: Agent,
  signal: AbortSignal,
): AsyncGenerator<Read> {
  const group = listed.apiVersion.includes('/') ? `apis/${listed.apiVersion}` : `api/${listed.apiVersion}`;
  let next: string | undefined = '';
  for (let page = 0; next !== undefined; page++) {
    if (page >= MOST_PAGES) throw unreachable(`its list of ${listed.resource} does not end`);
    signal.throwIfAborted();
    const url = new URL(
      `${access.server.pathname.replace(/\/$/, '')}/${group}/${listed.resource}`,
      access.server,
    );
    url.searchParams.set('limit', String(PAGE));
    if (next !== '') url.searchParams.set('continue', next);
    const answer = await get(url, access, agent, signal);
    if (answer.status === 410 && next !== '') {
      // The list is older than the server keeps: it offers to go on from what is there now.
      const rest: string | undefined = textAt(parseAnswer(answer.text), 'metadata', 'continue');
      if (rest === undefined || rest === '') {
        yield refused(listed, 'the list changed too much while it was read');
        return;
      }
      next = rest;
      continue;
    }
    if (answer.status !== 200) {
      if (answer.status === 401) throw unreachable('it does not know this account (status 401)');
      const why = answer.status === 403 ? 'this account may not list them' : `status ${answer.status}`;
      yield refused(listed, why);
      return;
    }
    const list = parseList(answer.text);
    for (const item of listAt(list, 'items')) yield* itemOf(item, listed);
    const token: string | undefined = textAt(list, 'metadata', 'continue');
    next = token === undefined || token === '' ? undefined : token;
  }
}

/** Items of a list do not say what they are. */
function* itemOf(item: Json, { apiVersion, kind }: Listed): Generator<Read> {
  if (!isMap(item)) return;
  const whole: JsonMap = { ...item, apiVersion, kind };
  const object = toKubeObject(whole, () => undefined);
  if (object) yield { kind: 'object', object };
}

function refused({ resource, note }: Listed, why: string): Read {
  return {
    kind: 'problem',
    problem: {
      code: 'check/list-refused',
      severity: 'error',
      message: `Cannot list ${resource}: ${why}${note === undefined ? '' : `; ${note}`}`,
    },
  };
}

function parseList(text: string): Json {
  const value = parseAnswer(text);
  const items = at(value, 'items');
  if (!Array.isArray(items) && items !== null) throw unreachable('its answer is no list');
  return value;
}

function parseAnswer(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (reason) {
    throw unreachable('its answer is not JSON', reason);
  }
}

function get(
  url: URL,
  access: ClusterAccess,
  agent: Agent,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (access.token !== undefined) headers['authorization'] = `Bearer ${access.token}`;
    const options = { agent, headers, signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) };
    const call = request(url, options, (answer) => {
      const pieces: Buffer[] = [];
      let sizeBytes = 0;
      answer.on('data', (piece: Buffer) => {
        sizeBytes += piece.length;
        if (sizeBytes <= PAGE_LIMIT_BYTES) pieces.push(piece);
        else call.destroy(new Error('its answer is too large'));
      });
      answer.on('error', (reason) => reject(unreachable(messageOf(reason), reason)));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') }),
      );
    });
    call.on('error', (reason) => reject(unreachable(messageOf(reason), reason)));
    call.end();
  });
}

function unreachable(state: string, cause?: unknown): PlinthError {
  return new PlinthError('check/cluster-unreachable', `Cannot list what runs in the cluster: ${state}`, {
    retryable: true,
    cause,
  });
}
