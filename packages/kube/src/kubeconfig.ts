import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { parse } from 'yaml';
import { z } from 'zod';
import type { ClusterAccess } from './access.ts';
import { type ExecSpec, runExec } from './exec-credential.ts';

/** A kubeconfig of a person may name many clusters; more than this is not read. */
const LIMIT_CHARACTERS = 4 * 1024 * 1024;

const exec = z.looseObject({
  apiVersion: z.string(),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: z.boolean().optional(),
});
const clusterSchema = z.looseObject({
  server: z.url({ protocol: /^https$/ }),
  'certificate-authority': z.string().optional(),
  'certificate-authority-data': z.string().optional(),
  'tls-server-name': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'proxy-url': z.string().optional(),
});
const userSchema = z.looseObject({
  'client-certificate': z.string().optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': z.string().optional(),
  'client-key-data': z.string().optional(),
  token: z.string().optional(),
  tokenFile: z.string().optional(),
  username: z.string().optional(),
  'auth-provider': z.unknown().optional(),
  exec: exec.optional(),
});
const schema = z.looseObject({
  'current-context': z.string().optional(),
  contexts: z
    .array(
      z.looseObject({
        name: z.string(),
        context: z.looseObject({ cluster: z.string(), user: z.string() }),
      }),
    )
    .nullish(),
  clusters: z.array(z.looseObject({ name: z.string(), cluster: z.unknown() })).nullish(),
  users: z.array(z.looseObject({ name: z.string(), user: z.unknown() })).nullish(),
});

/**
 * readClusterAccess reads a kubeconfig as kubectl does, programs that give credentials (exec) included.
 * @param context undefined: its current one
 * @throws kube/bad-kubeconfig; values of the file are never part of an error
 */
export async function readClusterAccess(
  path: string,
  context: string | undefined,
  signal: AbortSignal,
): Promise<ClusterAccess> {
  const text = await readFile(path, 'utf8').catch((reason: unknown) => {
    throw bad(path, 'it cannot be read', reason);
  });
  const config = readText(text, path);
  const wanted = context ?? config['current-context'];
  const chosen = config.contexts?.find(({ name }) => name === wanted)?.context;
  if (chosen === undefined) throw bad(path, `it has no context "${wanted ?? ''}"`);
  const cluster = clusterSchema.safeParse(
    config.clusters?.find(({ name }) => name === chosen.cluster)?.cluster,
  );
  const user = userSchema.safeParse(config.users?.find(({ name }) => name === chosen.user)?.user ?? {});
  if (!cluster.success)
    throw bad(path, `${firstProblem(cluster.error)} of cluster "${chosen.cluster}" is missing or wrong`);
  if (!user.success)
    throw bad(path, `${firstProblem(user.error)} of user "${chosen.user}" is missing or wrong`);
  if (cluster.data['proxy-url'] !== undefined)
    throw bad(path, 'it reaches the cluster through a proxy, which is not supported');
  if (user.data.username !== undefined || user.data['auth-provider'] !== undefined)
    throw bad(
      path,
      `user "${chosen.user}" logs in by password or auth-provider, which Kubernetes no longer has`,
    );
  const files = fileReader(path);
  const given = user.data.exec && (await runExec(execSpec(user.data.exec, path), cluster.data, signal));
  return {
    server: new URL(cluster.data.server),
    serverName: cluster.data['tls-server-name'],
    authorityPem: await files.pem(
      cluster.data['certificate-authority-data'],
      cluster.data['certificate-authority'],
    ),
    isUnchecked: cluster.data['insecure-skip-tls-verify'] === true,
    certificatePem:
      given?.certificatePem ??
      (await files.pem(user.data['client-certificate-data'], user.data['client-certificate'])),
    keyPem: given?.keyPem ?? (await files.pem(user.data['client-key-data'], user.data['client-key'])),
    token: given?.token ?? (await files.token(user.data.token, user.data.tokenFile)),
    tokenFile: user.data.tokenFile === undefined ? undefined : files.pathOf(user.data.tokenFile),
  };
}

function readText(text: string, path: string): z.infer<typeof schema> {
  if (text.length > LIMIT_CHARACTERS) throw bad(path, `it has more than ${LIMIT_CHARACTERS} characters`);
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 100, logLevel: 'error' });
  } catch (reason) {
    throw bad(path, 'it is not YAML', reason);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw bad(path, `${firstProblem(parsed.error)} is missing or wrong`);
}

function execSpec(spec: z.infer<typeof exec>, path: string): ExecSpec {
  // A relative path of a program is meant from the folder of the file; a plain name is looked for in $PATH.
  const command =
    spec.command.includes('/') && !isAbsolute(spec.command)
      ? join(dirname(path), spec.command)
      : spec.command;
  return {
    apiVersion: spec.apiVersion,
    command,
    args: spec.args ?? [],
    env: spec.env ?? [],
    provideClusterInfo: spec.provideClusterInfo ?? false,
  };
}

/** Files are named from the folder of the kubeconfig. */
function fileReader(kubeconfig: string) {
  const pathOf = (name: string) => (isAbsolute(name) ? name : join(dirname(kubeconfig), name));
  const read = (name: string) =>
    readFile(pathOf(name), 'utf8').catch((reason: unknown) => {
      throw bad(kubeconfig, 'a file that it names cannot be read', reason);
    });
  return {
    pathOf,
    pem: async (data: string | undefined, file: string | undefined) => {
      if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
      return file === undefined ? undefined : await read(file);
    },
    token: async (token: string | undefined, file: string | undefined) =>
      file === undefined ? token : (await read(file)).trim(),
  };
}

function firstProblem(error: z.ZodError): string {
  return `$.${error.issues[0]?.path.join('.') ?? ''}`;
}

function bad(path: string, state: string, cause?: unknown): PlinthError {
  return new PlinthError('kube/bad-kubeconfig', `Cannot use the kubeconfig ${path}: ${state}`, { cause });
}
