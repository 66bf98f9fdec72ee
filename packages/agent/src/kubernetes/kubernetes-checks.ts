import { type CheckSpec, fail, pass, passIf } from '../checks/check.ts';
import { activeVersion } from './layers/layer-store.ts';
import type { Kubernetes } from './open-kubernetes.ts';
import { UNITS } from './plans/node-parts.ts';

/** kubernetesChecks are the checks of a member; a node of no cluster passes them. */
export function kubernetesChecks({ parts, standing }: Pick<Kubernetes, 'parts' | 'standing'>): CheckSpec[] {
  return [
    {
      id: 'kubernetes-layer',
      expected: 'the version the node shall run',
      source: 'extension-release of /usr',
      fix: 'Give the machine the drive of that layer, or stage it; the journal of systemd-sysext.service says why it is not merged.',
      critical: true,
      async observe(sys) {
        const { membership, version } = await standing();
        if (membership !== 'member') return pass('the node belongs to no cluster');
        const active = await activeVersion(sys);
        return passIf(active === version, active ?? 'no layer is merged');
      },
    },
    {
      id: 'kubelet',
      expected: 'active',
      source: `systemctl show ${UNITS.kubelet}`,
      fix: 'Read the journal of kubelet.service.',
      critical: true,
      async observe() {
        if ((await standing()).membership !== 'member') return pass('the node belongs to no cluster');
        const { load, active, result } = await parts.units.state(UNITS.kubelet);
        if (load === 'not-found') return fail('the unit does not exist');
        return passIf(active === 'active', active === 'active' ? active : `${active} (${result})`);
      },
    },
  ];
}
