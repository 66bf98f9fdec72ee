import { PlinthError } from '@plinth/base';
import { loadProfiles, type Profile } from '@plinth/posture';
import { CIS_KUBERNETES } from './judge-node.ts';

/** What a node is held against. */
export interface ChosenProfiles {
  readonly profiles: readonly Profile[];
  /** Whether with CIS Kubernetes, which the node judges by the data of its layer. */
  readonly cis: boolean;
}

/**
 * chooseProfiles reads the value of --profile: names, "all", or files of a person's own, separated by commas.
 * @throws posture/profile-unknown, posture/profile-invalid
 */
export async function chooseProfiles(value: string): Promise<ChosenProfiles> {
  const words = value
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const files = words.filter((word) => word.endsWith('.yaml'));
  const { byId, fullest, given } = await loadProfiles(files);
  const chosen = new Set<Profile>(given);
  for (const word of words.filter((each) => !files.includes(each) && each !== CIS_KUBERNETES)) {
    const profile = byId.get(word);
    if (word !== 'all' && !profile) throw unknownProfile(word, [...byId.keys()]);
    for (const one of profile ? [profile] : fullest) chosen.add(one);
  }
  return { profiles: [...chosen], cis: words.includes('all') || words.includes(CIS_KUBERNETES) };
}

function unknownProfile(word: string, ids: readonly string[]): PlinthError {
  const known = ['all', ...ids, CIS_KUBERNETES].join(', ');
  return new PlinthError(
    'posture/profile-unknown',
    `Cannot judge by "${word}": there is no such profile, expected one of ${known}, or a file that ends with .yaml`,
  );
}
