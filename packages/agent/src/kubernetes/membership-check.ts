import { type CheckSpec, pass } from '../checks/check.ts';
import type { Kubernetes } from './open-kubernetes.ts';
import { STATE } from './paths.ts';

/** membershipChecks tell whether the node knows its membership; the rules of members depend on it. */
export function membershipChecks({ standing }: Pick<Kubernetes, 'standing'>): CheckSpec[] {
  return [
    {
      id: 'membership',
      expected: 'known',
      source: `${STATE}/member.json`,
      cause: 'What is stored about the membership is damaged, or /var cannot be read.',
      fix: 'Look at the check "var-errors"; when the file is lost let the node leave and join again.',
      critical: true,
      async observe() {
        const { membership, role, cluster } = await standing();
        if (membership === 'none') return pass('the node belongs to no cluster');
        const name = `${role ?? 'node'} of the cluster ${cluster?.name ?? ''}`;
        return pass(membership === 'member' ? name : `becoming ${name}`);
      },
    },
  ];
}
