import { type Evidence, type Finding, normaliseId, type ScanReport } from '@plinth/advisory';
import { PlinthError } from '@plinth/base';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, plainText } from '../output/blocks.ts';
import { printableData } from './printable-data.ts';
import { severityText } from './show-report.ts';

/** findFinding finds an identifier under any name it has. */
export function findFinding(report: ScanReport, wanted: string): Finding | undefined {
  const id = normaliseId(wanted) ?? wanted;
  return report.findings.find(
    ({ vulnerability }) => vulnerability.id === id || vulnerability.aliases.includes(id),
  );
}

/** showFinding spells out how the verdict about one identifier came to be. @throws advisory/not-found */
export function showFinding(report: ScanReport, wanted: string): CommandResult {
  const finding = findFinding(report, wanted);
  if (!finding) throw notFound(report, wanted);
  const feeds = report.feeds.filter(({ name }) => finding.feeds.includes(name));
  return {
    data: { ...finding, subject: report.subject, judgedAt: report.judgedAt, feedStates: feeds },
    view: viewOf(printableData(finding), printableData(report)),
  };
}

function viewOf(finding: Finding, report: ScanReport): Block[] {
  const { vulnerability, clocks } = finding;
  const rows: (readonly [string, string])[] = [
    [
      'id',
      [vulnerability.id, ...vulnerability.aliases].join(', ') +
        (vulnerability.state === 'active' ? '' : ` (${vulnerability.state})`),
    ],
    ...(finding.title === undefined ? [] : [['title', finding.title] as const]),
    ['verdict', `${finding.verdict}${finding.disputed ? ', sources contradict each other' : ''}`],
    ['because', finding.reason],
    ...(finding.justification === undefined ? [] : [['vex', finding.justification] as const]),
    ...(finding.unknownSince === undefined ? [] : [['unknown since', finding.unknownSince] as const]),
    ...(finding.stance === undefined ? [] : [['debian', finding.stance] as const]),
    ['severity', severitiesText(finding)],
    ...(finding.knownExploited
      ? [['exploited', `known since ${finding.knownExploited.addedAt}`] as const]
      : []),
    ...(finding.prediction
      ? [
          [
            'epss',
            `${(finding.prediction.probability * 100).toFixed(1)} % in 30 days, of ${finding.prediction.at}`,
          ] as const,
        ]
      : []),
    ...Object.entries(clockNames).flatMap(([key, label]) => {
      const at = clocks[key as keyof typeof clockNames];
      return at === undefined ? [] : [[label, at] as const];
    }),
  ];
  return [
    facts(rows),
    plainText(['In the image:', ...finding.components.flatMap(componentLines)].join('\n')),
    plainText(['Evidence, decisive first:', ...finding.evidence.flatMap(evidenceLines)].join('\n')),
    plainText(
      [
        'Sources:',
        ...report.feeds
          .filter(({ name }) => finding.feeds.includes(name))
          .map(
            (feed) =>
              `  ${feed.name}: ${feed.condition}${feed.date === undefined ? '' : `, of ${feed.date}`}${feed.sha256 === undefined ? '' : `, SHA-256 ${feed.sha256}`}`,
          ),
      ].join('\n'),
    ),
  ];
}

const clockNames = {
  disclosedAt: 'disclosed',
  seenAt: 'seen here',
  fixMadeAt: 'fix made',
  fixAvailableAt: 'fix offered',
} as const;

function severitiesText(finding: Finding): string {
  const known = finding.severities.map(
    ({ level, source, score }) => `${level}${score === undefined ? '' : ` ${score}`} (${source})`,
  );
  return known.length === 0 ? severityText(finding) : known.join(', ');
}

function componentLines({
  name,
  version,
  binaries,
  files,
  fixVersion,
  fixSuite,
  via,
}: Finding['components'][number]): string[] {
  const most = 12;
  const where = [...binaries, ...files];
  const more = where.length > most ? `, and ${where.length - most} more` : '';
  const fix =
    fixVersion === undefined
      ? 'no fix known'
      : `fixed by ${fixVersion}${fixSuite === undefined ? '' : ` of ${fixSuite}`}`;
  return [
    `  ${name} ${version}: ${fix}`,
    ...(where.length === 0 ? [] : [`    in ${where.slice(0, most).join(', ')}${more}`]),
    ...(via === undefined ? [] : [`    ${via}`]),
  ];
}

function evidenceLines({
  kind,
  speaksFor,
  statement,
  source,
  locator,
  confidence,
  outcome,
}: Evidence): string[] {
  return [
    `  ${speaksFor}, by ${kind} (${confidence}): ${statement}`,
    `    ${source}${locator === undefined ? '' : `: ${locator}`}`,
    ...(outcome ? [`    asked the image: holds ${outcome.holds}`] : []),
  ];
}

function notFound(report: ScanReport, id: string): PlinthError {
  const state = report.complete
    ? 'no feed names it for what is in it'
    : 'no feed at hand names it, and some are missing';
  return new PlinthError(
    'advisory/not-found',
    `Cannot explain ${id} in ${report.subject.name}: ${state}, expected a finding`,
  );
}
