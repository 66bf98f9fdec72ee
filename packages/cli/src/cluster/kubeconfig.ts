import { X509Certificate } from 'node:crypto';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { parse, stringify } from 'yaml';
import { z } from 'zod';

/** A kubeconfig of a person may name many clusters; more than this is not read. */
const LIMIT_CHARACTERS = 4 * 1024 * 1024;

const named = z.looseObject({ name: z.string() });
const base64 = z.string().regex(/^[A-Za-z0-9+/=]+$/);
/** What Plinth reads of a kubeconfig that a node made. */
const ownSchema = z.object({
  'current-context': z.string(),
  contexts: z.array(
    z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) }),
  ),
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.object({ server: z.url({ protocol: /^https$/ }), 'certificate-authority-data': base64 }),
    }),
  ),
  users: z.array(
    z.object({
      name: z.string(),
      user: z.object({ 'client-certificate-data': base64, 'client-key-data': base64 }),
    }),
  ),
});
/** What Plinth must understand of a file that belongs to a person; all else stays as it is. */
const foreignSchema = z.looseObject({
  contexts: z.array(named).nullish(),
  clusters: z.array(named).nullish(),
  users: z.array(named).nullish(),
});

/** userKubeconfig is the file that kubectl reads and changes: the first of $KUBECONFIG, else ~/.kube/config. */
export function userKubeconfig(env: Readonly<Record<string, string | undefined>>): string {
  const first = (env['KUBECONFIG'] ?? '').split(delimiter).find((path) => path !== '');
  return first ?? join(env['HOME'] || homedir(), '.kube', 'config');
}

/** How to reach an API server, and as whom. */
export interface KubernetesAccess {
  readonly server: string;
  readonly authorityPem: string;
  readonly certificatePem: string;
  readonly keyPem: string;
}

/** readAccess takes the access of the current context out of a kubeconfig. @throws cluster/bad-kubeconfig */
export function readAccess(text: string, path: string): KubernetesAccess {
  const { cluster, user } = currentOf(read(text, path, ownSchema), path);
  const pem = (data: string) => Buffer.from(data, 'base64').toString('utf8');
  return {
    server: cluster.server,
    authorityPem: pem(cluster['certificate-authority-data']),
    certificatePem: pem(user['client-certificate-data']),
    keyPem: pem(user['client-key-data']),
  };
}

/** expiryOf tells when the client certificate of an access ends; undefined when it is none. */
export function expiryOf({ certificatePem }: KubernetesAccess): Date | undefined {
  try {
    return new X509Certificate(certificatePem).validToDate;
  } catch {
    return undefined;
  }
}

/**
 * mergeKubeconfig puts a node's kubeconfig into that of a person: one cluster, user and context of the name
 * `plinth-<cluster>`, which replace entries of that name and become current. Everything else stays.
 * @param existing text of the person's file; undefined or empty: there is none yet
 * @throws cluster/bad-kubeconfig
 */
export function mergeKubeconfig(
  existing: string | undefined,
  added: string,
  cluster: string,
  path: string,
): string {
  const own = read(added, 'the kubeconfig of the node', ownSchema);
  const { cluster: ofCluster, user: ofUser } = currentOf(own, 'the kubeconfig of the node');
  const name = `plinth-${cluster}`;
  const before =
    existing === undefined || existing.trim() === ''
      ? { apiVersion: 'v1', kind: 'Config' }
      : read(existing, path, foreignSchema);
  const put = <E extends { readonly name: string }>(list: unknown, entry: E) => [
    ...(Array.isArray(list) ? list.filter((each) => each.name !== entry.name) : []),
    entry,
  ];
  const foreign: Readonly<Record<string, unknown>> = before;
  return stringify({
    ...foreign,
    clusters: put(foreign['clusters'], { name, cluster: ofCluster }),
    users: put(foreign['users'], { name, user: ofUser }),
    contexts: put(foreign['contexts'], { name, context: { cluster: name, user: name } }),
    'current-context': name,
  });
}

function currentOf(config: z.infer<typeof ownSchema>, path: string) {
  const context = config.contexts.find(({ name }) => name === config['current-context'])?.context;
  const cluster = config.clusters.find(({ name }) => name === context?.cluster)?.cluster;
  const user = config.users.find(({ name }) => name === context?.user)?.user;
  if (cluster && user) return { cluster, user };
  throw bad(path, 'its current context is not in it, expected cluster and user');
}

function read<T>(text: string, path: string, schema: z.ZodType<T>): T {
  if (text.length > LIMIT_CHARACTERS) {
    throw bad(path, `it has ${text.length} characters, expected at most ${LIMIT_CHARACTERS}`);
  }
  let value: unknown;
  try {
    // Aliases could make a small file unfold into a huge one.
    value = parse(text, { maxAliasCount: 100, logLevel: 'error' });
  } catch (reason) {
    throw bad(path, 'it is not YAML, expected a kubeconfig', reason);
  }
  const parsed = schema.safeParse(value);
  // What was read, not what the schema made of it: a person's file keeps its order.
  if (parsed.success) return value as T;
  const [issue] = parsed.error.issues;
  // Values are not shown: a kubeconfig holds keys.
  throw bad(path, `$.${issue?.path.join('.') ?? ''} is missing or wrong, expected a kubeconfig`);
}

function bad(path: string, state: string, cause?: unknown): PlinthError {
  return new PlinthError('cluster/bad-kubeconfig', `Cannot use ${path}: ${state}`, { cause });
}
