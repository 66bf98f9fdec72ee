import type { PlinthError } from '@plinth/base';
import { VOLUMES_FOLDER, type Volume } from '@plinth/config';
import { type CheckSpec, type Finding, fail, pass, unknown } from '../checks/check.ts';
import type { Outcome } from './bring-volume.ts';

/** What is known of the volumes at the last look. */
export interface VolumesView {
  readonly wanted: readonly Volume[];
  outcomeOf(name: string): Outcome | undefined;
  /** Volumes that no document asks for and that are in use. */
  readonly leftovers: readonly string[];
  /** Why nothing could be looked at. */
  readonly failure: PlinthError | undefined;
}

const COMMON = {
  expected: 'each mounted, on the disk and with the options of the machine config',
  source: `the machine config, documents Volume; /sys/block, ${VOLUMES_FOLDER}`,
  cause: 'a disk is missing, carries something else, or is damaged.',
  fix: 'Compare "plinth get disks" with the documents Volume of "plinth config show".',
} as const;

/** volumeChecks tell of required volumes, without which a node is unfit, and of the others. */
export function volumeChecks(view: () => VolumesView): readonly CheckSpec[] {
  return [
    {
      ...COMMON,
      id: 'volumes',
      async observe() {
        const now = view();
        if (now.leftovers.length === 0) return judge(now, false);
        return {
          ...fail(`${now.leftovers.join(', ')} is in use and still mounted, though no document asks for it`),
          fix: 'End the pods that use it, or reboot the node.',
        };
      },
    },
    { ...COMMON, id: 'required-volumes', critical: true, observe: async () => judge(view(), true) },
  ];
}

function judge({ wanted, outcomeOf, failure }: VolumesView, isRequired: boolean): Finding {
  const volumes = wanted.filter(({ required }) => required === isRequired);
  if (volumes.length === 0) return pass('none are given');
  if (failure) return { ...unknown(failure.message), fix: failure.hint };
  const problems = volumes.flatMap(({ name }) => outcomeOf(name)?.problem ?? []);
  const [first] = problems;
  if (first) {
    const found = fail(problems.map(({ message }) => message).join('; '));
    return first.hint ? { ...found, fix: first.hint } : found;
  }
  if (volumes.some(({ name }) => outcomeOf(name) === undefined))
    return unknown('they have not been looked at yet');
  const concerns = volumes.flatMap(({ name }) => {
    const concern = outcomeOf(name)?.concern ?? '';
    return concern === '' ? [] : [`${name}: ${concern}`];
  });
  if (concerns.length > 0) return fail(concerns.join('; '));
  return pass(`${volumes.map(({ name }) => name).join(', ')} mounted`);
}
