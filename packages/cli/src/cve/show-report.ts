import { type FeedState, type Finding, levelOf, type ScanReport } from '@plinth/advisory';
import { type Block, facts, nextCommands, plainText, table } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';
import { formatDuration } from '../output/units.ts';

export interface ShowReportOptions {
  readonly all: boolean;
  readonly now: Date;
}

/** showReport draws a report: what is open or unknown, what was looked at, and how old what is known is. */
export function showReport(report: ScanReport, { all, now }: ShowReportOptions): Block[] {
  const { subject, counts } = report;
  const shown = report.findings.filter(({ verdict }) => all || verdict === 'open' || verdict === 'unknown');
  const name = [subject.name, subject.version].filter(Boolean).join(' ');
  const [first] = shown;
  return [
    table(
      [
        { header: 'ID', value: ({ vulnerability }) => shorten(vulnerability.id, 28) },
        { header: 'VERDICT', value: ({ verdict }) => verdict, mark: markVerdict },
        { header: 'SEVERITY', value: (finding) => severityText(finding) },
        {
          header: 'IN',
          value: ({ components }) => shorten(components.map((each) => each.name).join(', '), 16),
        },
        { header: 'FIXED BY', value: ({ components }) => shorten(components[0]?.fixVersion ?? '-', 22) },
        { header: 'SINCE', value: (finding) => sinceText(finding, now) },
        {
          header: 'PACKAGES',
          value: ({ components }) => components.flatMap(({ binaries }) => binaries).join(' '),
          wide: true,
        },
        { header: 'TITLE', value: ({ title = '' }) => shorten(title, 80), wide: true },
      ],
      shown,
      report.complete ? 'Nothing is open.' : 'Nothing is known to be open; see below for what is not known.',
    ),
    facts([
      ['scanned', `${name} (${subject.kind}), ${lookedText(report)}`],
      [
        'found',
        `${counts.open} open, ${counts.unknown} unknown, ${counts['not-affected']} not affected, ${counts.fixed} fixed`,
      ],
      ...feedRows(report.feeds),
    ]),
    ...(report.gaps.length === 0
      ? []
      : [plainText(['Not known:', ...report.gaps.map((gap) => `  ${gap}`)].join('\n'))]),
    ...(first === undefined
      ? []
      : [
          nextCommands([
            [
              `plinth cve scan ${subject.kind === 'lock' ? '' : 'WHAT '}--explain ${first.vulnerability.id}`,
              'why, by which source, how to fix it',
            ],
          ]),
        ]),
  ];
}

/** severityText names the worst level and who says so: "high (nvd)". */
export function severityText(finding: Finding): string {
  const level = levelOf(finding);
  const source = finding.severities.find((each) => each.level === level)?.source;
  const known = finding.knownExploited ? ', exploited' : '';
  return source === undefined ? `not known${known}` : `${level} (${source}${known})`;
}

function markVerdict({ verdict }: Finding, style: Style): (text: string) => string {
  if (verdict === 'open') return style.bad;
  return verdict === 'unknown' ? style.doubtful : style.good;
}

function sinceText({ clocks, unknownSince }: Finding, now: Date): string {
  const since =
    unknownSince ??
    [clocks.fixMadeAt, clocks.fixAvailableAt].filter((at) => at !== undefined).sort()[0] ??
    clocks.disclosedAt;
  return since === undefined ? '-' : ageText(since, now);
}

function ageText(since: string, now: Date): string {
  const days = Math.floor((now.getTime() - Date.parse(since)) / 86_400_000);
  return days < 1 ? 'today' : `${days}d`;
}

function lookedText({ looked }: ScanReport): string {
  const parts = [
    [looked.binaries, 'packages'],
    [looked.goModules, 'Go modules'],
    [looked.npmModules, 'npm packages'],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count} ${what}`)
    .join(', ');
}

/** Good feeds in one line with their ages, each other one in a line of its own. */
function feedRows(feeds: readonly FeedState[]): (readonly [string, string])[] {
  const fresh = feeds.filter(({ condition }) => condition === 'fresh');
  const missing = feeds.filter(({ condition }) => condition === 'missing');
  const rest = feeds.filter(({ condition }) => condition !== 'fresh' && condition !== 'missing');
  return [
    [
      'by',
      fresh
        .map(
          (feed) => `${feedName(feed)}${feed.ageMs === undefined ? '' : ` (${formatDuration(feed.ageMs)})`}`,
        )
        .join(', ') || 'no feed',
    ],
    ...rest.map((feed): readonly [string, string] => [
      feed.condition,
      `${feedName(feed)}: ${feed.detail ?? ''}`,
    ]),
    ...(missing.length === 0 ? [] : [['missing', missing.map(feedName).join(', ')] as const]),
  ];
}

function feedName({ name }: FeedState): string {
  return name.replace(/^debian-index:/, '');
}

function shorten(text: string, mostCharacters: number): string {
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters - 1)}…`;
}
