import { spawn } from 'node:child_process';
import { messageOf, PlinthError } from '@plinth/base';
import { z } from 'zod';

/** A program that gives credentials (client.authentication.k8s.io), as a kubeconfig names it. */
export interface ExecSpec {
  readonly apiVersion: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly provideClusterInfo: boolean;
}

/** What such a program gave. */
export interface ExecCredential {
  readonly token: string | undefined;
  readonly certificatePem: string | undefined;
  readonly keyPem: string | undefined;
}

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
const TIMEOUT_MS = 60_000;
const ANSWER_LIMIT_BYTES = 1024 * 1024;

const answerSchema = z.looseObject({
  status: z.looseObject({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
  }),
});

/**
 * runExec runs the program of a kubeconfig, without a shell and without a terminal, and reads its answer.
 * @throws kube/bad-kubeconfig; the answer, which is a secret, is never part of an error
 */
export async function runExec(
  spec: ExecSpec,
  cluster: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<ExecCredential> {
  if (!VERSIONS.includes(spec.apiVersion))
    throw failed(spec, `it speaks ${spec.apiVersion}, expected ${VERSIONS[0]}`);
  const info = {
    apiVersion: spec.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(spec.provideClusterInfo && { cluster }) },
  };
  const env = {
    ...process.env,
    ...Object.fromEntries(spec.env.map(({ name, value }) => [name, value])),
    KUBERNETES_EXEC_INFO: JSON.stringify(info),
  };
  const text = await outputOf(spec, env, signal);
  let answer: z.infer<typeof answerSchema>;
  try {
    answer = answerSchema.parse(JSON.parse(text));
  } catch {
    throw failed(spec, 'its answer is no ExecCredential');
  }
  const { token, clientCertificateData: certificatePem, clientKeyData: keyPem } = answer.status;
  if (token === undefined && (certificatePem === undefined || keyPem === undefined))
    throw failed(spec, 'its answer has neither token nor certificate');
  return { token, certificatePem, keyPem };
}

function outputOf(spec: ExecSpec, env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(spec.command, spec.args, {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
      signal,
      timeout: TIMEOUT_MS,
    });
    const pieces: Buffer[] = [];
    let sizeBytes = 0;
    child.stdout.on('data', (piece: Buffer) => {
      sizeBytes += piece.length;
      if (sizeBytes > ANSWER_LIMIT_BYTES) child.kill();
      else pieces.push(piece);
    });
    child.on('error', (reason) => reject(failed(spec, messageOf(reason))));
    child.on('close', (code) => {
      if (code === 0 && sizeBytes <= ANSWER_LIMIT_BYTES) resolve(Buffer.concat(pieces).toString('utf8'));
      else
        reject(failed(spec, code === 0 ? 'its answer is too large' : `it ended with ${code ?? 'a signal'}`));
    });
  });
}

function failed(spec: ExecSpec, state: string): PlinthError {
  return new PlinthError('kube/bad-kubeconfig', `Cannot log in with ${spec.command}: ${state}`, {
    hint: 'Try "kubectl get nodes" with the same kubeconfig.',
  });
}
