import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { nodeApiPort } from '@plinth/api';
import { messageOf } from '@plinth/base';
import { readClusterAccess, readPodAccess } from '@plinth/kube';
import { FLEET_NAMESPACE, HTTP_PORT, NODE_ACCESS_DIR } from '../install/names.ts';
import { fleetDecide } from './fleet-decide.ts';
import { runOperator } from './run-operator.ts';

// The operator in its pod: all that it is told stands in the environment, the certificate for nodes in a Secret. Outside a pod a kubeconfig
// takes the place of its service account.
const { env } = process;
const NODE_ACCESS = env['PLINTH_FLEET_NODE_ACCESS'] ?? NODE_ACCESS_DIR;

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
const say = (text: string) =>
  void process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), text })}\n`);

const number = (name: string, otherwise: number) => {
  const value = Number(env[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new Error(`${name} is no port`);
  return value;
};

try {
  const kubeconfig = env['PLINTH_FLEET_KUBECONFIG'];
  const access =
    kubeconfig === undefined
      ? await readPodAccess(env)
      : await readClusterAccess(kubeconfig, undefined, stop.signal);
  const management = env['PLINTH_FLEET_MACHINES_KUBECONFIG'];
  const end = await runOperator({
    ...(management !== undefined && {
      machinesAccess: await readClusterAccess(management, undefined, stop.signal),
    }),
    ...{ access, say, signal: stop.signal, decide: fleetDecide },
    nodePort: number('PLINTH_FLEET_NODE_PORT', nodeApiPort),
    identity: () => ({
      certificatePem: readFileSync(join(NODE_ACCESS, 'tls.crt'), 'utf8'),
      keyPem: readFileSync(join(NODE_ACCESS, 'tls.key'), 'utf8'),
    }),
    namespace: env['PLINTH_FLEET_NAMESPACE'] ?? FLEET_NAMESPACE,
    podName: env['POD_NAME'] ?? hostname(),
    leaderNode: env['NODE_NAME'] ?? '',
    webhooks: (env['PLINTH_FLEET_WEBHOOKS'] ?? '').split(/\s+/).filter((url) => url !== ''),
    ...(env['PLINTH_FLEET_CLUSTER'] !== undefined && { source: env['PLINTH_FLEET_CLUSTER'] }),
    observer: {
      host: env['PLINTH_FLEET_HTTP_ADDRESS'] ?? '::',
      port: number('PLINTH_FLEET_HTTP_PORT', HTTP_PORT),
    },
    listening: (port) => say(`metrics at port ${port}`),
  });
  process.exit(end === 'lost' ? 1 : 0);
} catch (reason) {
  say(messageOf(reason));
  process.exit(1);
}
