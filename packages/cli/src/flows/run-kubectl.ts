import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import { findGoComponent, loadGoComponents, readGoToolchainKey } from '@plinth/image';
import { localCluster } from '../cluster/cluster-contexts.ts';
import { keepKubeconfig } from '../cluster/keep-kubeconfig.ts';
import type { CommandContext } from '../framework/context.ts';
import { repositoryRoot } from '../repository.ts';

/** Exit code of a program that a signal ended, as shells give it. */
const SIGNALLED = 128;

/**
 * runKubectl runs the compiled kubectl on the terminal, with the kubeconfig of the local cluster that is meant, and
 * gives its exit code. $PLINTH_CLUSTER names the cluster.
 * @throws cluster/no-layer when none is compiled; cluster/not-found, cluster/unreachable
 */
export async function runKubectl(words: readonly string[], context: CommandContext): Promise<number> {
  const record = await localCluster(context.env['PLINTH_CLUSTER'] || undefined, context);
  const program = await findKubectl(record.kubernetesVersion);
  const { path } = await keepKubeconfig(record, context);
  return context.suspendProgress(() => runProgram(program, words, { ...context.env, KUBECONFIG: path }));
}

/** findKubectl is the compiled multi-call program that holds kubectl. @throws cluster/no-layer */
export async function findKubectl(version: string): Promise<string> {
  const minor = version.split('.').slice(0, 2).join('.');
  const component = (await loadGoComponents(join(repositoryRoot, 'go'))).get(`kubernetes-${minor}`);
  const key = await readGoToolchainKey(join(repositoryRoot, 'os'));
  const built = component && (await findGoComponent(component, key));
  const program = built?.programs.get('plinth-kubeadm');
  if (program !== undefined) return program;
  throw new PlinthError(
    'cluster/no-layer',
    `Cannot run kubectl: that of Kubernetes ${minor} is not compiled on this computer`,
    { hint: 'Run "plinth kubernetes build".' },
  );
}

/**
 * runProgram runs kubectl on this process's terminal. Ctrl-C reaches it from the terminal; this process waits for it.
 * @throws host/command-failed when it cannot be started
 */
export function runProgram(
  program: string,
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['kubectl', ...words], { stdio: 'inherit', env: { ...env } });
    child.on('error', (reason) =>
      reject(PlinthError.from(reason, 'host/command-failed', 'Cannot run kubectl')),
    );
    child.on('exit', (code, signal) => resolve(code ?? SIGNALLED + (signal === 'SIGINT' ? 2 : 15)));
  });
}
