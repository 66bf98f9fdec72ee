import { readFile } from 'node:fs/promises';
import { ioError, isErrno, withLock, writeFileAtomic } from '@plinth/host';
import { MEMBER_CALL_TIMEOUT_MS } from '../client/call-timeout.ts';
import { localCluster } from '../cluster/cluster-contexts.ts';
import { keepKubeconfig } from '../cluster/keep-kubeconfig.ts';
import { expiryOf, mergeKubeconfig, readAccess, userKubeconfig } from '../cluster/kubeconfig.ts';
import { useMember } from '../cluster/observe-cluster.ts';
import type { CommandContext } from '../framework/context.ts';
import { usageError } from '../framework/usage-error.ts';

export interface GetKubeconfigOptions {
  readonly cluster: string | undefined;
  /** Context of a control plane; absent: a local cluster. */
  readonly context: string | undefined;
  readonly server: string | undefined;
  readonly merge: boolean;
  readonly output: string | undefined;
}

/** Where a kubeconfig is now; never what is in it. */
export interface GotKubeconfig {
  readonly cluster: string;
  readonly path: string;
  readonly server: string;
  /** RFC 3339; empty when it cannot be read. */
  readonly expiresAt: string;
  readonly merged: boolean;
}

/** getKubeconfig gets a kubeconfig and puts it where it is wanted. @throws cluster/…, api/…, host/io */
export async function getKubeconfig(
  options: GetKubeconfigOptions,
  context: CommandContext,
): Promise<GotKubeconfig> {
  const { name, text, path: ownPath } = await fetchKubeconfig(options, context);
  const access = readAccess(text, 'the kubeconfig of the node');
  const target = options.merge
    ? (options.output ?? userKubeconfig(context.env))
    : (options.output ?? ownPath);
  if (target === undefined) {
    throw usageError('the cluster is not local, expected --output FILE or --merge');
  }
  if (options.merge) await mergeInto(target, text, name);
  else if (target !== ownPath) await writeFileAtomic(target, text, 0o600);
  return {
    cluster: name,
    path: target,
    server: access.server,
    expiresAt: expiryOf(access)?.toISOString() ?? '',
    merged: options.merge,
  };
}

async function fetchKubeconfig(options: GetKubeconfigOptions, context: CommandContext) {
  if (options.context === undefined) {
    const record = await localCluster(options.cluster, context);
    const { path } = await keepKubeconfig(record, context);
    return { name: record.name, path, text: await readFile(path, 'utf8') };
  }
  return useMember(options.context, context, MEMBER_CALL_TIMEOUT_MS, async (node) => {
    const { cluster } = await node.kubernetes.get();
    const { kubeconfig } = await node.kubernetes.kubeconfig(options.server ?? '');
    return { name: cluster?.name || 'cluster', path: undefined, text: kubeconfig };
  });
}

/** kubectl takes the same lock file while it writes (client-go, clientcmd/config.go). */
async function mergeInto(path: string, added: string, cluster: string): Promise<void> {
  await withLock(`${path}.lock`, `change ${path}`, async () => {
    const existing = await readFile(path, 'utf8').catch((reason) => {
      if (isErrno(reason, 'ENOENT')) return undefined;
      throw ioError(reason, `read ${path}`);
    });
    await writeFileAtomic(path, mergeKubeconfig(existing, added, cluster, path), 0o600);
  });
}
