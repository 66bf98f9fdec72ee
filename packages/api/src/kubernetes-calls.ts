import type { MessageInitShape } from '@bufbuild/protobuf';
import { createClient, type Transport } from '@connectrpc/connect';
import {
  type BootstrapRequestSchema,
  type GetCisResponse,
  type GetKubeconfigResponse,
  type GetKubernetesResponse,
  type Invitation,
  type InviteNodeRequestSchema,
  KubernetesService,
  type Layer,
  type StageLayerRequestSchema,
} from './gen/plinth/node/v1/kubernetes_pb.ts';
import { requirePart } from './rpc-error.ts';
import { cutIntoChunks, type Transfer } from './transfer.ts';

/** A layer on its way to a node. */
export interface LayerUpload extends Transfer {
  /** Kubernetes version, "1.37.1". */
  readonly version: string;
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string;
  /** Bound on the whole upload. */
  readonly timeoutMs: number;
}

/**
 * Kubernetes on a node. Acts (bootstrap, join, upgrade, leave) return when the node has accepted them; `get` tells how
 * far they are. A refusal is a PlinthError with the code, message and hint of the node.
 */
export interface KubernetesCalls {
  get(): Promise<GetKubernetesResponse>;
  /** The CIS benchmark's verdicts on a member. */
  cis(): Promise<GetCisResponse>;
  bootstrap(request: MessageInitShape<typeof BootstrapRequestSchema>): Promise<void>;
  invite(request: MessageInitShape<typeof InviteNodeRequestSchema>): Promise<Invitation>;
  join(invitation: Invitation): Promise<void>;
  upgrade(kubernetesVersion: string): Promise<void>;
  /** @param override the node's name, typed by a person; empty to be refused where the quorum would be lost */
  leave(override?: string): Promise<void>;
  /** Ends what the cluster knows of a node that has left or is lost; asked of a control plane. */
  forgetNode(nodeName: string): Promise<void>;
  /** @param server https URL of the API server as the client reaches it; empty for the node's own address */
  kubeconfig(server?: string): Promise<GetKubeconfigResponse>;
  stageLayer(upload: LayerUpload): Promise<Layer>;
}

/** Runs one call and turns what it throws into a PlinthError. */
export type Answer = <T>(method: string, call: Promise<T>) => Promise<T>;

/** kubernetesCalls are the calls of KubernetesService over a transport. */
export function kubernetesCalls(transport: Transport, answer: Answer): KubernetesCalls {
  const client = createClient(KubernetesService, transport);
  return {
    get: () => answer('GetKubernetes', client.getKubernetes({})),
    cis: () => answer('GetCis', client.getCis({})),
    bootstrap: async (request) => {
      await answer('Bootstrap', client.bootstrap(request));
    },
    invite: async (request) => {
      const { invitation } = await answer('InviteNode', client.inviteNode(request));
      return requirePart(invitation, 'InviteNode', 'invitation');
    },
    join: async (invitation) => {
      await answer('Join', client.join({ invitation }));
    },
    upgrade: async (kubernetesVersion) => {
      await answer('Upgrade', client.upgrade({ kubernetesVersion }));
    },
    leave: async (override = '') => {
      await answer('Leave', client.leave({ override }));
    },
    forgetNode: async (nodeName) => {
      await answer('ForgetNode', client.forgetNode({ nodeName }));
    },
    kubeconfig: (server = '') => answer('GetKubeconfig', client.getKubeconfig({ server })),
    stageLayer: async (upload) => {
      const { timeoutMs } = upload;
      const { layer } = await answer('StageLayer', client.stageLayer(layerMessages(upload), { timeoutMs }));
      return requirePart(layer, 'StageLayer', 'layer');
    },
  };
}

async function* layerMessages(
  upload: LayerUpload,
): AsyncGenerator<MessageInitShape<typeof StageLayerRequestSchema>> {
  const { version, sha256 } = upload;
  // The description goes alone, so that a node refuses what it does not want before the first byte of it.
  yield { version, sizeBytes: BigInt(upload.sizeBytes), sha256 };
  for await (const chunk of cutIntoChunks(upload)) yield { chunk };
}
