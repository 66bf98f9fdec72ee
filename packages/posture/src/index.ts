export {
  type ClaimResult,
  type ClaimVerdict,
  claimVerdicts,
  countVerdicts,
  evaluateProfile,
  postureVerdict,
} from './evaluate.ts';
export { type Fact, type Facts, factNames } from './fact.ts';
export { loadProfiles, type Profiles } from './load-profiles.ts';
export type { Profile } from './profile.ts';
