import { z } from 'zod';
import type { Plan } from '../acts/act.ts';
import { chooseLayer, SYSEXT_UNIT } from '../layers/choose-layer.ts';
import { activeVersion } from '../layers/layer-store.ts';
import { readMember, writeMember } from '../node/member.ts';
import { KUBEADM_CONFIG } from '../paths.ts';
import { ENCRYPTION_CONFIG } from '../render/api-server-files.ts';
import { KUBEADM_TIMEOUT_MS, type NodeParts, SHORT_TIMEOUT_MS, UNITS } from './node-parts.ts';
import { INVITATION_SECRETS } from './plan-join.ts';

/** What a leave was asked for; what allows it has been decided before. */
export const leaveRequest = z.object({});

/** planLeave ends the membership. kubeadm removes the etcd member first, then everything it made. */
export function planLeave(parts: NodeParts): Plan {
  const { store, units, sys } = parts;
  return {
    kind: 'leave',
    steps: [
      {
        name: 'reset',
        title: 'leave the cluster (kubeadm reset)',
        isDone: async () => (await activeVersion(sys)) === undefined, // without a layer nothing can run
        run: ({ signal }) => units.run('restart', UNITS.reset, { timeoutMs: KUBEADM_TIMEOUT_MS, signal }),
      },
      {
        name: 'forget-secrets',
        title: "remove the cluster's secrets",
        isDone: async () => false,
        run: async () => {
          for (const name of [ENCRYPTION_CONFIG, KUBEADM_CONFIG, INVITATION_SECRETS])
            await store.remove(name);
        },
      },
      {
        name: 'release-layer',
        title: 'take Kubernetes out of /usr',
        isDone: async () => false,
        run: async ({ signal }) => {
          await chooseLayer(parts, undefined);
          await units.run('stop', SYSEXT_UNIT, { timeoutMs: SHORT_TIMEOUT_MS, signal });
        },
      },
      {
        name: 'record-membership',
        title: 'remember that the node has left',
        isDone: async () => false,
        run: async () => {
          const member = await readMember(store);
          // A node that never got so far may still found a cluster.
          if (member) await writeMember(store, { ...member, state: 'left', apiServers: [] });
        },
      },
    ],
  };
}
