import { create } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import type { ConnectRouter } from '@connectrpc/connect';
import {
  BootstrapResponseSchema,
  ForgetNodeResponseSchema,
  GetKubeconfigResponseSchema,
  GetKubernetesResponseSchema,
  type Invitation,
  InvitationSchema,
  InviteNodeResponseSchema,
  JoinResponseSchema,
  KubernetesService,
  LeaveResponseSchema,
  NodeRole,
  StageLayerResponseSchema,
  UpgradeResponseSchema,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import type { ClusterAccess } from './access/cluster-access.ts';
import type { Admissions } from './admission/admission.ts';
import { enrolmentOf } from './admission/enrolment-of.ts';
import { cisReport } from './cis-report.ts';
import { completeClusterSpec, parseIpv4, type NodeRole as Role } from './cluster-spec.ts';
import { actMessage, findRole, layerMessage, memberships, roleNumbers } from './kubernetes-messages.ts';
import { receiveLayer } from './layers/receive-layer.ts';
import type { Kubernetes } from './open-kubernetes.ts';
import { API_SERVER_PORT } from './paths.ts';
import { judgeUpgrade } from './plans/judge-upgrade.ts';
import { type BootstrapRequest, planBootstrap } from './plans/plan-bootstrap.ts';
import { type JoinRequest, keepInvitation, planJoin } from './plans/plan-join.ts';
import { planLeave } from './plans/plan-leave.ts';
import { planUpgrade, type UpgradeRequest } from './plans/plan-upgrade.ts';
import { findLayer } from './plans/steps.ts';
import {
  checkInvitation,
  chooseAddress,
  requireControlPlane,
  requireFree,
  requireKept,
  requireMember,
} from './preconditions.ts';
import { checkEncryptionConfig, ENCRYPTION_CONFIG } from './render/api-server-files.ts';

/** What the service needs besides the node's own state. */
export interface KubernetesServiceParts {
  readonly kubernetes: Kubernetes;
  /** The cluster, asked as its administrator; on control planes. */
  readonly access: ClusterAccess;
  readonly admission: Pick<Admissions, 'invite' | 'forget'>;
  /** Whether the node may leave now; throws kubernetes/leave-refused. `override` is what a person typed. */
  mayLeave(override: string): Promise<void>;
}

/** Long enough to carry an invitation to a node that is just booting, short enough to be of no use tomorrow. */
const INVITATION_MS = 15 * 60_000;
const STAGE_LIMIT_MS = 60 * 60_000;
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** kubernetesService gives the routes of plinth.node.v1.KubernetesService. */
export function kubernetesService(parts: KubernetesServiceParts): (router: ConnectRouter) => void {
  const { kubernetes, access, admission } = parts;
  const { parts: node, acts, life } = kubernetes;
  const receive = receiveLayer(node);
  return (router) => {
    router.service(
      KubernetesService,
      {
        getKubernetes: async () => {
          const { membership, role, cluster, version = '', nodeAddress = '' } = await kubernetes.standing();
          const act = acts.current();
          return create(GetKubernetesResponseSchema, {
            ...(cluster && { cluster: { ...cluster, apiServerNames: [...cluster.apiServerNames] } }),
            version,
            nodeAddress,
            membership: memberships[membership],
            role: role ? roleNumbers[role] : NodeRole.UNSPECIFIED,
            layers: (await node.layers()).map(layerMessage),
            ...(act && { act: actMessage(act, node.sys.nowMs()) }),
          });
        },
        getCis: async () => {
          const { role } = requireMember(await kubernetes.facts());
          return cisReport(node.sys, role);
        },
        bootstrap: async ({ cluster, kubernetesVersion, nodeAddress }) => {
          const facts = await kubernetes.facts();
          requireKept(facts);
          requireFree(facts, 'bootstrap');
          const version = kubernetesVersion || (await node.layers())[0]?.version || 'of any version';
          const request: BootstrapRequest = {
            cluster: completeClusterSpec(cluster),
            version: (await findLayer(node, version)).version,
            nodeAddress: chooseAddress(nodeAddress, node.sys.addresses()),
          };
          await acts.begin(planBootstrap(node, request), request);
          life.enter({
            role: 'control-plane',
            nodeAddress: request.nodeAddress,
            apiServers: [`${request.nodeAddress}:${API_SERVER_PORT}`],
          });
          return create(BootstrapResponseSchema);
        },
        join: async ({ invitation }) => {
          const facts = await kubernetes.facts();
          requireKept(facts);
          requireFree(facts, 'join');
          const request = await acceptInvitation(kubernetes, invitation);
          await findLayer(node, request.version);
          await acts.begin(planJoin(node, request), request, () =>
            keepInvitation(node, {
              token: invitation?.token ?? '',
              caKeyHash: invitation?.caKeyHash ?? '',
              certificateKey: invitation?.certificateKey ?? '',
              encryptionConfiguration: invitation?.encryptionConfiguration ?? '',
            }),
          );
          life.enter(request);
          return create(JoinResponseSchema);
        },
        upgrade: async ({ kubernetesVersion }) => {
          const facts = await kubernetes.facts();
          requireKept(facts);
          const { cluster, role, version } = requireMember(facts);
          const { version: to } = await findLayer(node, kubernetesVersion);
          judgeUpgrade({ role, from: version, to, cluster: await node.view.version() });
          const request: UpgradeRequest = { cluster, role, from: version, to };
          await acts.begin(planUpgrade(node, request), request);
          return create(UpgradeResponseSchema);
        },
        leave: async ({ override }) => {
          const facts = await kubernetes.facts();
          requireKept(facts);
          const { membership } = await kubernetes.standing();
          if (membership === 'none')
            throw new PlinthError(
              'kubernetes/not-member',
              'Cannot leave: the node belongs to no cluster, expected a member',
            );
          if (membership === 'member') await parts.mayLeave(override);
          await acts.begin(planLeave(node), {});
          void acts.idle().then(() => (acts.current()?.state === 'done' ? life.leave() : undefined));
          return create(LeaveResponseSchema);
        },
        inviteNode: async ({ nodeId, nodeName, nodeAddress, role, tpm }) => {
          const member = requireControlPlane(await kubernetes.facts());
          const invited = { nodeId, nodeName, nodeAddress, role: roleOf(role) };
          checkInvited(invited);
          await admission.invite(invited, tpm && enrolmentOf(invited, tpm, node.sys.nowMs()));
          const controlPlane = invited.role === 'control-plane';
          const certificateKey = controlPlane ? await access.uploadCertificates() : '';
          const encryption = controlPlane ? await node.store.read(ENCRYPTION_CONFIG) : undefined;
          const { token, expiresAtMs } = await access.createToken(invited, INVITATION_MS);
          return create(InviteNodeResponseSchema, {
            invitation: create(InvitationSchema, {
              nodeId,
              nodeName,
              nodeAddress,
              role,
              cluster: { ...member.cluster, apiServerNames: [...member.cluster.apiServerNames] },
              kubernetesVersion: member.version,
              apiServers: [...(await access.apiServers())],
              token,
              caKeyHash: await access.caKeyHash(),
              certificateKey,
              encryptionConfiguration: encryption?.toString('utf8') ?? '',
              expiresAt: timestampFromMs(expiresAtMs),
            }),
          });
        },
        forgetNode: async ({ nodeName }) => {
          requireControlPlane(await kubernetes.facts());
          checkForgotten(nodeName, node.nodeName);
          await access.forgetNode(nodeName);
          await admission.forget(nodeName);
          return create(ForgetNodeResponseSchema);
        },
        getKubeconfig: async ({ server }) => {
          const { nodeAddress } = requireControlPlane(await kubernetes.facts());
          const url = server || `https://${nodeAddress}:${API_SERVER_PORT}`;
          checkServer(url);
          const { kubeconfig, expiresAtMs } = await access.issueKubeconfig(url);
          return create(GetKubeconfigResponseSchema, {
            kubeconfig,
            expiresAt: timestampFromMs(expiresAtMs),
          });
        },
        stageLayer: async (messages) => {
          requireKept(await kubernetes.facts());
          return create(StageLayerResponseSchema, { layer: layerMessage(await receive(messages)) });
        },
      },
      { maxTimeoutMs: STAGE_LIMIT_MS },
    );
  };
}

/** acceptInvitation checks that this node is meant, and gives what is not secret of it. */
async function acceptInvitation(
  { parts: { sys, nodeName }, nodeId }: Kubernetes,
  invitation: Invitation | undefined,
): Promise<JoinRequest> {
  if (!invitation)
    throw new PlinthError('kubernetes/invitation-refused', 'Cannot join: no invitation, expected one');
  const role = checkInvitation(
    {
      ...invitation,
      role: findRole(invitation.role),
      expiresAtMs: invitation.expiresAt ? timestampMs(invitation.expiresAt) : 0,
    },
    { nodeId, nodeName, addresses: sys.addresses() },
    sys.nowMs(),
  );
  if (role === 'control-plane') checkEncryptionConfig(invitation.encryptionConfiguration);
  return {
    cluster: completeClusterSpec(invitation.cluster),
    role,
    version: invitation.kubernetesVersion,
    nodeAddress: invitation.nodeAddress,
    apiServers: [...invitation.apiServers],
    expiresAtMs: invitation.expiresAt ? timestampMs(invitation.expiresAt) : 0,
  };
}

function roleOf(number: NodeRole): Role {
  const role = findRole(number);
  if (role) return role;
  throw new PlinthError(
    'kubernetes/spec-invalid',
    'Cannot invite the node: no role, expected control plane or worker',
  );
}

function checkInvited({
  nodeId,
  nodeName,
  nodeAddress,
}: {
  nodeId: string;
  nodeName: string;
  nodeAddress: string;
}) {
  if (NAME.test(nodeName) && parseIpv4(nodeAddress) !== undefined && /^[\w:-]{1,128}$/.test(nodeId)) return;
  throw new PlinthError(
    'kubernetes/spec-invalid',
    'Cannot invite the node: its id, name or IPv4 address is not valid, expected all three',
  );
}

function checkForgotten(nodeName: string, own: string): void {
  if (NAME.test(nodeName) && nodeName !== own) return;
  throw new PlinthError(
    'kubernetes/spec-invalid',
    `Cannot forget the node ${JSON.stringify(nodeName.slice(0, 80))}, expected the name of another node`,
  );
}

function checkServer(url: string): void {
  if (URL.canParse(url) && new URL(url).protocol === 'https:' && url.length < 300) return;
  throw new PlinthError(
    'kubernetes/spec-invalid',
    `Cannot use the server ${JSON.stringify(url.slice(0, 80))}, expected an https URL`,
  );
}
