import { type FeedState, type Finding, levelOf, type ScanReport } from '@plinth/advisory';
import { type Block, facts, nextCommands, plainText, table } from '../output/blocks.ts';
import type { Style } from '../output/style.ts';
import { formatDuration } from '../output/units.ts';

export interface ShowReportOptions {
  /** Also what is fixed and not affected. */
  readonly all: boolean;
  /** Put many identifiers of one component with one fix into one line. */
  readonly fold: boolean;
  readonly now: Date;
}

/** Findings of one line: one, or all that one step fixes. */
interface Line {
  readonly first: Finding;
  readonly findings: readonly Finding[];
}

/** A list of so many identifiers with one fix is read as one thing to do. */
const FOLD_FROM = 6;

/** showReport draws a report: what is open or unknown, what was looked at, and how old what is known is. */
export function showReport(report: ScanReport, { all, fold, now }: ShowReportOptions): Block[] {
  const { subject } = report;
  const shown = report.findings.filter(({ verdict }) => all || verdict === 'open' || verdict === 'unknown');
  const lines = fold ? foldFindings(shown) : shown.map((first) => ({ first, findings: [first] }));
  const name = [subject.name, subject.version].filter(Boolean).join(' ');
  const [top] = shown;
  return [
    table(
      [
        { header: 'ID', value: idText },
        { header: 'VERDICT', value: ({ first }: Line) => first.verdict, mark: markVerdict },
        { header: 'SEVERITY', value: ({ first }) => severityText(first) },
        {
          header: 'IN',
          value: ({ first }) => shorten(first.components.map((each) => each.name).join(', '), 16),
        },
        { header: 'FIXED BY', value: ({ first }) => shorten(first.components[0]?.fixVersion ?? '-', 22) },
        { header: 'SINCE', value: ({ findings }) => sinceText(findings, now) },
        {
          header: 'PACKAGES',
          value: ({ first }) => first.components.flatMap(({ binaries }) => binaries).join(' '),
          wide: true,
        },
        { header: 'TITLE', value: ({ first }) => shorten(first.title ?? '', 80), wide: true },
      ],
      lines,
      report.complete ? 'Nothing is open.' : 'Nothing is known to be open; see below for what is not known.',
    ),
    facts([
      ['scanned', `${name} (${subject.kind}), ${lookedText(report)}`],
      ['found', foundText(report)],
      ...disputedRows(report),
      ...feedRows(report.feeds),
    ]),
    ...(report.gaps.length === 0
      ? []
      : [plainText(['Not known:', ...report.gaps.map((gap) => `  ${gap}`)].join('\n'))]),
    ...nextBlock([
      ...completing(report),
      ...(top ? nextSteps(report, top, lines.length < shown.length) : []),
    ]),
  ];
}

function nextBlock(commands: readonly (readonly [string, string])[]): Block[] {
  return commands.length === 0 ? [] : [nextCommands(commands)];
}

/** Documents that answer what no signed index does; the how-to says where they are. */
const DOCUMENTS = [
  ['debian-tracker', 'binaries', 'tracker.json', "Debian's tracker"],
  ['osv-go', 'goPrograms', 'osv-go/', 'OSV for Go'],
  ['osv-npm', 'npmModules', 'osv-npm/', 'OSV for npm'],
] as const;

/** completing names in one line what would tell more about this subject. */
function completing({ looked, feeds }: ScanReport): (readonly [string, string])[] {
  const fresh = new Set(feeds.filter(({ condition }) => condition === 'fresh').map(({ name }) => name));
  const wanted = DOCUMENTS.filter(([name, what]) => looked[what] > 0 && !fresh.has(name));
  if (wanted.length === 0) return [];
  const files = wanted.map(([, , file]) => file).join(' ');
  return [
    [`plinth cve feeds import ${files}`, `to complete it: ${wanted.map(([, , , of]) => of).join(', ')}`],
  ];
}

/** foldFindings keeps the order: a line stands where its worst finding stood. */
function foldFindings(findings: readonly Finding[]): Line[] {
  const groups = Map.groupBy(findings, ({ verdict, components }) => {
    const [component] = components;
    return [verdict, component?.name, component?.version, component?.fixVersion].join(' ');
  });
  return [...groups.values()].flatMap((group): Line[] => {
    const [first] = group;
    if (first !== undefined && group.length >= FOLD_FROM) return [{ first, findings: group }];
    return group.map((each) => ({ first: each, findings: [each] }));
  });
}

function idText({ first, findings }: Line): string {
  if (findings.length === 1) return shorten(first.vulnerability.id, 28);
  return `${findings.length}: ${shorten(first.vulnerability.id, 18)} …`;
}

function foundText({ counts, complete }: ScanReport): string {
  const known = [
    ...(counts['not-affected'] > 0 ? [`${counts['not-affected']} not affected`] : []),
    ...(counts.fixed > 0 ? [`${counts.fixed} fixed`] : []),
  ];
  if (complete) return [`${counts.open} open`, `${counts.unknown} unknown`, ...known].join(', ');
  const found = [`${counts.open} known to be open`, `${counts.unknown} unknown`, ...known].join(', ');
  return `${found}; more may be open, see "Not known"`;
}

function nextSteps({ subject }: ScanReport, top: Finding, folded: boolean): (readonly [string, string])[] {
  const what = subject.kind === 'lock' ? '' : 'WHAT ';
  return [
    [`plinth cve scan ${what}--explain ${top.vulnerability.id}`, 'why, by which source, how to fix it'],
    ...(folded ? [[`plinth cve scan ${what}-o wide`, 'each identifier in a line of its own'] as const] : []),
  ];
}

/** severityText names the worst level and who says so: "high (nvd)". */
export function severityText(finding: Finding): string {
  const level = levelOf(finding);
  const source = finding.severities.find((each) => each.level === level)?.source;
  const known = finding.knownExploited ? ', exploited' : '';
  return source === undefined ? `not known${known}` : `${level} (${source}${known})`;
}

function markVerdict({ first: { verdict } }: Line, style: Style): (text: string) => string {
  if (verdict === 'open') return style.bad;
  return verdict === 'unknown' ? style.doubtful : style.good;
}

/** Since when it could have been mended, or cannot be told: the oldest of the line. */
function sinceText(findings: readonly Finding[], now: Date): string {
  const [since] = findings
    .flatMap(({ clocks, unknownSince }) => {
      const fixed = [clocks.fixMadeAt, clocks.fixAvailableAt].filter((at) => at !== undefined).sort()[0];
      return unknownSince ?? fixed ?? clocks.disclosedAt ?? [];
    })
    .sort();
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
  const found = parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => (count === 1 ? `1 ${what.slice(0, -1)}` : `${count} ${what}`));
  return found.join(', ') || 'no package';
}

/** What one source has closed and another has not: whoever reads only the table would not see it. */
function disputedRows({ findings }: ScanReport): (readonly [string, string])[] {
  const closed = findings.filter(({ disputed, verdict }) => disputed && verdict !== 'open');
  if (closed.length === 0) return [];
  const some = closed.slice(0, 3).map(({ vulnerability }) => vulnerability.id);
  const more = closed.length > some.length ? `, and ${closed.length - some.length} more` : '';
  return [['disputed', `closed by one source, open by another: ${some.join(', ')}${more}; see --explain`]];
}

/** Good feeds in one line with their ages, each other one in a line of its own. */
function feedRows(feeds: readonly FeedState[]): (readonly [string, string])[] {
  const fresh = feeds.filter(({ condition }) => condition === 'fresh');
  // What was tried and failed says why; the others nobody gave yet.
  const isAbsent = ({ condition, detail = '' }: FeedState) =>
    condition === 'missing' && !/^[a-z]+\/[a-z-]+: /.test(detail);
  const missing = feeds.filter(isAbsent);
  const rest = feeds.filter((feed) => feed.condition !== 'fresh' && !isAbsent(feed));
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
      `${feedName(feed)}: ${stateOf(feed.detail ?? '')}`,
    ]),
    ...(missing.length === 0 ? [] : [['missing', missing.map(feedName).join(', ')] as const]),
  ];
}

/** Of an error only what was found; the name of the feed stands before it. */
function stateOf(detail: string): string {
  return detail.replace(/^[a-z]+\/[a-z-]+: (?:Cannot [^:]+: )?/, '').replace(/, (?:now is|expected) .*$/, '');
}

function feedName({ name }: FeedState): string {
  return name.replace(/^debian-index:/, '');
}

function shorten(text: string, mostCharacters: number): string {
  return text.length <= mostCharacters ? text : `${text.slice(0, mostCharacters - 1)}…`;
}
