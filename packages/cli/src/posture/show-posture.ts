import { exitCodes } from '@plinth/base';
import { writeFileAtomic } from '@plinth/host';
import { type ClaimResult, claimVerdicts } from '@plinth/posture';
import { askNode } from '../client/ask-node.ts';
import type { ManyNodeOptions } from '../client/many-options.ts';
import { showOnNodes } from '../client/show-on-nodes.ts';
import type { KeyFolderOptions } from '../flows/key-folder.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { table } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';
import { chooseProfiles } from './choose-profiles.ts';
import { judgeNode, type Posture, type ProfileSummary } from './judge-node.ts';
import { postureJunit } from './posture-junit.ts';
import { signPostures } from './sign-posture.ts';

export interface PostureOptions extends ManyNodeOptions, Pick<KeyFolderOptions, 'keys'> {
  readonly context: string | undefined;
  readonly timeout: number;
  readonly profile: string;
  readonly full: boolean;
  readonly junit: string | undefined;
  readonly sign: string | undefined;
  readonly exitCode: boolean;
}

/**
 * showPosture judges nodes by profiles and shows what does not pass, or all. Files that were asked for are written first.
 * @throws posture/…, cli/context-missing, api/…, trust/…, host/io
 */
export async function showPosture(options: PostureOptions, context: CommandContext): Promise<CommandResult> {
  const { profiles, cis } = await chooseProfiles(options.profile);
  const postures: Posture[] = [];
  const result = await showOnNodes(options, context, async (one) => {
    const posture = await askNode(one, context, (node) => judgeNode(node, profiles, cis));
    postures.push(posture);
    return showOne(posture, options);
  });
  postures.sort((a, b) => (a.nodeName < b.nodeName ? -1 : 1));
  if (options.junit !== undefined) await writeFileAtomic(options.junit, postureJunit(postures));
  if (options.sign !== undefined) await signPostures(options.sign, postures, options, context);
  return result;
}

function showOne(posture: Posture, options: PostureOptions): CommandResult {
  const order = claimVerdicts;
  const rows = posture.results
    .filter(({ verdict }) => options.full || verdict === 'fail' || verdict === 'unknown')
    .toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  return {
    data: posture,
    names: rows.map(({ profile, id }) => `${profile}/${id}`),
    view: [claimsTable(rows), profilesTable(posture.profiles)],
    exitCode: options.exitCode && posture.verdict !== 'pass' ? exitCodes.findings : exitCodes.ok,
  };
}

function claimsTable(rows: readonly ClaimResult[]) {
  return table(
    [
      { header: 'PROFILE', value: ({ profile }) => profile },
      { header: 'ID', value: ({ id }) => id },
      {
        header: 'VERDICT',
        value: ({ verdict }) => verdict,
        mark: ({ verdict }, style) => markOf(verdict, style),
      },
      { header: 'TITLE', value: ({ title }) => title },
      { header: 'FOUND', value: ({ found }) => found },
      { header: 'EXPECTED', value: ({ expected }) => expected, wide: true },
      { header: 'SOURCE', value: ({ sources }) => sources.join(', '), wide: true },
      { header: 'REASON', value: ({ reason }) => reason, wide: true },
    ],
    rows,
    'Nothing fails, and nothing is unknown.',
  );
}

function profilesTable(profiles: readonly ProfileSummary[]) {
  const count = (verdict: keyof ProfileSummary['counts'], header: string) => ({
    header,
    align: 'right' as const,
    value: ({ counts }: ProfileSummary) => String(counts[verdict]),
  });
  return table(
    [
      { header: 'PROFILE', value: ({ id }) => id },
      {
        header: 'VERDICT',
        value: ({ verdict }) => verdict,
        mark: ({ verdict }, style) => markOf(verdict, style),
      },
      count('pass', 'PASS'),
      count('fail', 'FAIL'),
      count('unknown', 'UNKNOWN'),
      count('accepted', 'ACCEPTED'),
      count('manual', 'MANUAL'),
      count('not-applicable', 'N/A'),
      { header: 'SOURCE', value: ({ source }) => source },
      { header: 'TITLE', value: ({ title }) => title, wide: true },
    ],
    profiles,
  );
}

function markOf(verdict: ClaimResult['verdict'], style: Style): (text: string) => string {
  if (verdict === 'pass') return style.good;
  return verdict === 'fail' ? style.bad : style.doubtful;
}
