import { cisVerdictName, type NodeClient } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import {
  type ClaimResult,
  type ClaimVerdict,
  countVerdicts,
  evaluateProfile,
  factNames,
  type Profile,
  postureVerdict,
} from '@plinth/posture';
import { gatherFacts, type ToldByNode } from './gather-facts.ts';

/** The benchmark that a node judges itself by: it comes with its Kubernetes layer. */
export const CIS_KUBERNETES = 'cis-kubernetes';

/** The claims of one profile on one node, summed up. */
export interface ProfileSummary {
  readonly id: string;
  readonly title: string;
  /** Whose numbers the claims have, and of which edition. */
  readonly source: string;
  readonly verdict: 'pass' | 'fail' | 'unknown';
  readonly counts: Readonly<Record<ClaimVerdict, number>>;
}

/** One look at one node; field names are part of the interface. */
export interface Posture extends Omit<ToldByNode, 'facts'> {
  readonly verdict: 'pass' | 'fail' | 'unknown';
  readonly profiles: readonly ProfileSummary[];
  readonly results: readonly ClaimResult[];
}

/** judgeNode asks a node for its facts and holds profiles against them. @param cis whether with CIS Kubernetes @throws api/… */
export async function judgeNode(
  node: NodeClient,
  profiles: readonly Profile[],
  cis: boolean,
): Promise<Posture> {
  const [{ facts, ...told }, kubernetes] = await Promise.all([
    gatherFacts(node, factNames(profiles)),
    cis ? judgeKubernetes(node) : undefined,
  ]);
  const judged = [
    ...profiles.map((profile) => {
      const { name, edition } = profile.source;
      const results = evaluateProfile(profile, facts);
      return { id: profile.id, title: profile.title, source: `${name} ${edition}`, results };
    }),
    ...(kubernetes ? [kubernetes] : []),
  ];
  const results = judged.flatMap((one) => one.results);
  return {
    verdict: sumUp(judged.map((one) => verdictOf(one.results))),
    ...told,
    profiles: judged.map(({ results: own, ...profile }) => ({
      ...{ ...profile, verdict: verdictOf(own), counts: countVerdicts(own) },
    })),
    results,
  };
}

/** A profile of which all is seen not to apply, or is meant, is no worse than one that passes. */
function verdictOf(results: readonly ClaimResult[]): ProfileSummary['verdict'] {
  const { 'not-applicable': notApplicable } = countVerdicts(results);
  return results.length > 0 && notApplicable === results.length ? 'pass' : postureVerdict(results);
}

function sumUp(verdicts: readonly ProfileSummary['verdict'][]): ProfileSummary['verdict'] {
  if (verdicts.includes('fail')) return 'fail';
  return verdicts.length === 0 || verdicts.includes('unknown') ? 'unknown' : 'pass';
}

interface JudgedProfile extends Pick<ProfileSummary, 'id' | 'title' | 'source'> {
  readonly results: readonly ClaimResult[];
}

async function judgeKubernetes(node: NodeClient): Promise<JudgedProfile> {
  const profile = { id: CIS_KUBERNETES, title: 'CIS Kubernetes Benchmark' };
  const alone = (verdict: ClaimVerdict, reason: string): JudgedProfile => ({
    ...{ ...profile, source: profile.title },
    results: [
      {
        ...EMPTY,
        profile: profile.id,
        id: 'membership',
        title: 'The node is a member of a cluster',
        verdict,
        reason,
      },
    ],
  });
  try {
    const { benchmark, results } = await node.kubernetes.cis();
    return {
      ...{ ...profile, source: benchmark },
      results: results.map(({ id, section, title, verdict, reason }) => ({
        ...{
          ...EMPTY,
          profile: profile.id,
          id,
          section,
          title,
          verdict: cisVerdictName(verdict),
          found: reason,
        },
      })),
    };
  } catch (reason) {
    if (!(reason instanceof PlinthError)) throw reason;
    if (reason.code === 'kubernetes/not-member') return alone('not-applicable', reason.message);
    return alone('unknown', reason.message);
  }
}

const EMPTY = { section: '', expected: '', found: '', sources: [], reason: '', why: '' };
