import {
  type Code,
  ConnectError,
  createClient,
  createRouterTransport,
  type Interceptor,
} from '@connectrpc/connect';
import { FailureSchema, KubernetesService } from '@plinth/api';
import { type Role, roles } from '../../server/caller.ts';
import { callerKey, guard } from '../../server/guard.ts';
import type { ClusterAccess } from '../access/cluster-access.ts';
import type { Admissions } from '../admission/admission.ts';
import { kubernetesService } from '../kubernetes-service.ts';
import { admitsAll } from './admits-all.ts';
import type { FakeNode } from './fake-node.ts';

/** Names that the cluster was told to forget. */
export const forgotten: string[] = [];

const access: ClusterAccess = {
  createToken: async (_node, ttlMs) => ({
    token: 'abcdef.0123456789abcdef',
    expiresAtMs: Date.UTC(2026, 10, 21) + ttlMs,
  }),
  uploadCertificates: async () => '12'.repeat(32),
  caKeyHash: async () => `sha256:${'cd'.repeat(32)}`,
  apiServers: async () => ['192.0.2.1:6443'],
  forgetNode: async (nodeName) => void forgotten.push(nodeName),
  issueKubeconfig: async (server) => ({ kubeconfig: `server: ${server}`, expiresAtMs: 1 }),
};

/** serve gives a client of the service of a fake node, as it is served behind the guard. */
export async function serve(
  node: FakeNode,
  mayLeave: (override: string) => Promise<void> = async () => {},
  admission: Admissions = admitsAll,
) {
  const kubernetes = await node.open();
  const transport = createRouterTransport(kubernetesService({ kubernetes, access, admission, mayLeave }), {
    router: { interceptors: [identify, guard(() => {}, Date.now)] },
  });
  const client = createClient(KubernetesService, transport);
  return { kubernetes, client };
}

/** The role a call is made with; the transport of tests has no TLS to take it from. */
const ROLE = 'x-role';

const identify: Interceptor = (next) => (request) => {
  const role = roles.find((name) => name === request.header.get(ROLE));
  if (role) request.contextValues.set(callerKey, { ok: true, caller: { commonName: 'a', role } });
  return next(request);
};

/** What a call is made with to have a role. */
export function as(role: Role) {
  return { headers: { [ROLE]: role } };
}

/** failure gives what a refused call says. */
export async function failure(
  work: Promise<unknown>,
): Promise<{ status: Code; code: string; message: string; hint: string }> {
  try {
    await work;
  } catch (reason) {
    const error = ConnectError.from(reason);
    const [said] = error.findDetails(FailureSchema);
    return { status: error.code, code: said?.code ?? '', message: error.rawMessage, hint: said?.hint ?? '' };
  }
  throw new Error('expected a refusal');
}
