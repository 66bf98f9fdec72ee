import { type ChildProcess, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FLEET_NAME, FLEET_NAMESPACE } from '@plinth/fleet';
import { OPERATOR_FILES, OPERATOR_FLAGS } from '@plinth/fleet/build';
import type { ControlPlane } from '@plinth/image/testing';
import { askKube, type KubeConnection } from '@plinth/kube';

/** An operator that is started again when it ends by itself, as its kubelet does: one whose processor was away loses its lease and ends. */
export interface OperatorProcess {
  readonly child: ChildProcess;
  readonly metricsUrl: string;
  /** How often it ended by itself, with its last words. */
  readonly ends: readonly string[];
  /** Ends it for good. @param signal how */
  kill(signal: 'SIGKILL' | 'SIGTERM'): void;
}

interface Started {
  readonly child: ChildProcess;
  readonly metricsUrl: string;
  lastWords(): string;
}

/** operatorAccess writes a kubeconfig with a token of the account that the operator has in a cluster. */
export async function operatorAccess(
  plane: ControlPlane,
  admin: KubeConnection,
  signal: AbortSignal,
): Promise<string> {
  const path = `/api/v1/namespaces/${FLEET_NAMESPACE}/serviceaccounts/${FLEET_NAME}/token`;
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: 86_400 },
  };
  const { status } = (await askKube(admin, { method: 'POST', path, body }, signal)) as {
    status: { token: string };
  };
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'a' },
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    clusters: [
      {
        name: 'a',
        cluster: {
          server: `https://127.0.0.1:${plane.apiPort}`,
          'certificate-authority-data': Buffer.from(plane.caPem).toString('base64'),
        },
      },
    ],
    users: [{ name: 'a', user: { token: status.token } }],
  };
  const file = plane.at('operator.conf');
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

/** startOperator starts the operator as it is in its image: bundled, with its flags. */
export async function startOperator(
  plane: ControlPlane,
  kubeconfig: string,
  nodePort: number,
): Promise<OperatorProcess> {
  let now = await startOnce(plane, kubeconfig, nodePort);
  let isWanted = true;
  const ends: string[] = [];
  const follow = ({ child, lastWords }: Started): void => {
    child.once('exit', (code) => {
      if (!isWanted) return;
      ends.push(`${code}: ${lastWords().trim().split('\n').at(-1) ?? ''}`);
      startOnce(plane, kubeconfig, nodePort).then(
        (next) => {
          now = next;
          if (isWanted) follow(next);
          else next.child.kill('SIGKILL');
        },
        (reason: unknown) => ends.push(String(reason)),
      );
    });
  };
  follow(now);
  return {
    ends,
    get child() {
      return now.child;
    },
    get metricsUrl() {
      return now.metricsUrl;
    },
    kill(signal) {
      isWanted = false;
      now.child.kill(signal);
    },
  };
}

function startOnce(plane: ControlPlane, kubeconfig: string, nodePort: number): Promise<Started> {
  const child = spawn(process.execPath, [...OPERATOR_FLAGS, join(plane.dir, OPERATOR_FILES.main)], {
    env: {
      ...{ PLINTH_FLEET_KUBECONFIG: kubeconfig, PLINTH_FLEET_NODE_ACCESS: plane.dir },
      ...{ PLINTH_FLEET_NODE_PORT: String(nodePort), PLINTH_FLEET_HTTP_PORT: '0' },
      PLINTH_FLEET_HTTP_ADDRESS: '127.0.0.1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    let said = '';
    child.once('exit', (code) => reject(new Error(`the operator ended with ${code}:\n${said.slice(-2000)}`)));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said = `${said}${text}`.slice(-20_000);
      const [, port] = /metrics at port (\d+)/.exec(said) ?? [];
      if (port !== undefined)
        resolve({ child, metricsUrl: `http://127.0.0.1:${port}/metrics`, lastWords: () => said });
    });
  });
}

/** leading tells which operator leads by its own word. */
export async function leading(operators: readonly OperatorProcess[]): Promise<OperatorProcess> {
  for (const operator of operators) {
    const text = await (await fetch(operator.metricsUrl)).text();
    if (text.includes('plinth_fleet_leading 1')) return operator;
  }
  throw new Error('no operator leads');
}
