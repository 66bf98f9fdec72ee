import { PlinthError } from '@plinth/base';
import { z } from 'zod';
import type { Plan } from '../acts/act.ts';
import { clusterSpecSchema, nodeRoles } from '../cluster-spec.ts';
import { FOLDER, KUBEADM_CONFIG } from '../paths.ts';
import { ENCRYPTION_CONFIG } from '../render/api-server-files.ts';
import { renderJoin } from '../render/kubeadm-yaml.ts';
import type { NodeSettings } from '../settings.ts';
import { writeNodeFiles } from './node-files.ts';
import { type NodeParts, UNITS } from './node-parts.ts';
import {
  chooseLayerStep,
  importImagesStep,
  kubeadmStep,
  mergeLayerStep,
  recordStep,
  stopUnit,
  waitNodeStep,
  writeStep,
} from './steps.ts';

/** What a join was asked for, without its secrets. */
export const joinRequest = z.object({
  cluster: clusterSpecSchema,
  role: z.enum(nodeRoles),
  version: z.string(),
  nodeAddress: z.string(),
  /** host:port of each API server. */
  apiServers: z.array(z.string()),
  /** End of the invitation. With another one everything is written and tried anew. */
  expiresAtMs: z.number(),
});
export type JoinRequest = z.infer<typeof joinRequest>;

const secrets = z.object({
  token: z.string(),
  caKeyHash: z.string(),
  certificateKey: z.string(),
  encryptionConfiguration: z.string(),
});
/** The secret half of an invitation. */
export type InvitationSecrets = z.infer<typeof secrets>;

/** Kept apart from the act, and removed once the node has joined. */
export const INVITATION_SECRETS = `${FOLDER}/invitation.json`;

/** keepInvitation stores the secrets of an invitation for the act. */
export async function keepInvitation(
  { store }: Pick<NodeParts, 'store'>,
  given: InvitationSecrets,
): Promise<void> {
  await store.write(INVITATION_SECRETS, Buffer.from(JSON.stringify(given)));
}

/** planJoin makes the node a member of the cluster that invited it. */
export function planJoin(parts: NodeParts, request: JoinRequest): Plan {
  const { cluster, role, version, nodeAddress, apiServers } = request;
  const settings: NodeSettings = { nodeName: parts.nodeName, nodeAddress, version, cluster };
  return {
    kind: 'join',
    steps: [
      chooseLayerStep(parts, version),
      mergeLayerStep(parts, version),
      writeStep('write the settings of the node', () => writeJoin(parts, settings, role)),
      importImagesStep(parts),
      kubeadmStep(parts, 'join', 'join the cluster (kubeadm join)'),
      waitNodeStep(parts, version),
      recordStep(parts, { state: 'member', role, cluster, version, nodeAddress, apiServers }, [
        KUBEADM_CONFIG,
        INVITATION_SECRETS,
      ]),
    ],
  };
}

async function writeJoin(parts: NodeParts, settings: NodeSettings, role: JoinRequest['role']): Promise<void> {
  await stopUnit(parts, UNITS.join);
  const { encryptionConfiguration, ...given } = await readSecrets(parts);
  await writeNodeFiles(parts, {
    role,
    cluster: settings.cluster,
    kubeadm: renderJoin(settings, { ...given, role }),
    more: role === 'control-plane' ? [[ENCRYPTION_CONFIG, encryptionConfiguration]] : [],
  });
}

async function readSecrets({ store }: Pick<NodeParts, 'store'>): Promise<InvitationSecrets> {
  const text = (await store.read(INVITATION_SECRETS))?.toString('utf8');
  const parsed = text === undefined ? undefined : secrets.safeParse(JSON.parse(text));
  if (parsed?.success) return parsed.data;
  throw new PlinthError(
    'kubernetes/invitation-expired',
    'Cannot join: the invitation is not kept any more, expected a new one',
  );
}
