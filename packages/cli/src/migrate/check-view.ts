import { basename } from 'node:path';
import { type CheckFinding, type CheckResult, type FixStep, placeText, verdictOf } from '@plinth/advisor';
import { renderDiagnostic } from '@plinth/base';
import { type Block, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { wrapText } from '../output/wrap-text.ts';

const WIDTH_CHARS = 80;
/** Of so many agents it is told what each needs; the rest stands in -o wide. */
const MOST_OWN = 8;
const MOST_PLACE = 24;

/** checkView shows what was found, why each rule is one and what to do; how it ended comes last. */
export function checkView(result: CheckResult): Block[] {
  const serious = result.findings.filter(({ severity }) => severity !== 'info');
  const explained = [...Map.groupBy(serious, ({ rule }) => rule)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([id, findings]) => explain(result.rules[id], findings));
  // A file says where, a cluster on how many nodes.
  const isLive = result.nodes.length > 0;
  return [
    table(
      [
        { header: 'SEVERITY', value: severityText, mark: severityMark },
        { header: 'RULE', value: (one) => one.rule },
        { header: 'WORKLOAD', value: (one) => shortOwner(one.owner) },
        { header: 'CONTAINER', value: (one) => one.container, wide: true },
        { header: 'WHAT', value: (one) => one.subject },
        ...(result.observed ? [{ header: 'SEEN', value: seenText }] : []),
        { header: 'PODS', value: podsText, align: 'right', wide: !isLive },
        { header: 'NODES', value: nodesText, align: 'right', wide: !isLive },
        { header: 'WHERE', value: shortPlace, wide: isLive },
        { header: 'PLACE', value: wholePlace, wide: true },
        { header: 'MESSAGE', value: (one) => one.message, wide: true },
      ],
      result.findings,
      'Nothing found.',
    ),
    ...(explained.length > 0 ? [plainText(explained.join('\n'))] : []),
    ...problemsOf(result),
    lastWords(result),
  ];
}

/** Why a rule is one and what to do. Of drivers and agents that are known by name, what is said of each instead. */
function explain(
  rule: CheckResult['rules'][string] | undefined,
  findings: readonly CheckFinding[],
): string[] {
  if (rule === undefined) return [];
  const own = new Map(
    findings.filter(({ fix }) => fix !== '' && fix !== rule.fix).map((one) => [one.subject, one]),
  );
  const lines = [
    `${rule.id} ${rule.title}. ${rule.why}${own.size === 0 ? ` Fix: ${rule.fix}` : ''}`,
    ...[...own.values()]
      .slice(0, MOST_OWN)
      .map(({ owner, message, fix }) => `- ${shortOwner(owner)} ${message}. Fix: ${fix}`),
  ];
  return lines.map((line, index) => {
    const indent = index === 0 ? '' : '  ';
    return indent + wrapText(printable(line), WIDTH_CHARS - 4).join(`\n  ${indent}`);
  });
}

/** Kinds as kubectl shortens them. */
const SHORT_KINDS: Readonly<Record<string, string>> = {
  ConfigMap: 'cm',
  CronJob: 'cj',
  DaemonSet: 'ds',
  Deployment: 'deploy',
  Namespace: 'ns',
  PersistentVolume: 'pv',
  Pod: 'pod',
  PodDisruptionBudget: 'pdb',
  ReplicaSet: 'rs',
  StatefulSet: 'sts',
  StorageClass: 'sc',
};

/** "ds/kube-system/net": what kubectl takes, with the namespace between. */
function shortOwner({ kind, namespace, name }: CheckFinding['owner']): string {
  return [SHORT_KINDS[kind] ?? kind.toLowerCase(), namespace, name].filter((part) => part !== '').join('/');
}

/** simulateView shows what to fix first. */
export function simulateView(result: CheckResult, steps: readonly FixStep[]): Block[] {
  return [
    table(
      [
        { header: 'RANK', value: ({ rank }) => String(rank), align: 'right' },
        { header: 'WORKLOAD', value: ({ owner }) => shortOwner(owner) },
        { header: 'BLOCK', value: ({ block }) => String(block), align: 'right' },
        { header: 'WARN', value: ({ warn }) => String(warn), align: 'right' },
        { header: 'UNKNOWN', value: ({ unknown }) => String(unknown), align: 'right', wide: true },
        { header: 'NODES', value: ({ nodes }) => (nodes === null ? 'all' : String(nodes)), align: 'right' },
        { header: 'PODS', value: ({ pods }) => (pods === null ? 'each' : String(pods)), align: 'right' },
        { header: 'FREE-THEN', value: (step) => freeText(step, result), align: 'right' },
        { header: 'RULES', value: ({ rules }) => rules.join(',') },
      ],
      steps,
      'Nothing to fix.',
    ),
    ...problemsOf(result),
    lastWords(result),
  ];
}

/** What could not be read, each with its place. */
function problemsOf({ problems, moreProblems }: CheckResult): Block[] {
  if (problems.length === 0) return [];
  const lines = problems.map((one) => printable(renderDiagnostic(one).replaceAll('\n  -->', ' -->')));
  return [plainText([...lines, ...(moreProblems > 0 ? [`and ${moreProblems} more`] : [])].join('\n'))];
}

function lastWords(result: CheckResult): Block {
  return plainText(
    [...result.notes.map((note) => `Note: ${note}.`), verdictOf(result)]
      .map((line) => wrapText(printable(line), WIDTH_CHARS).join('\n'))
      .join('\n'),
  );
}

function freeText({ freeNodes }: FixStep, { nodes }: CheckResult): string {
  return freeNodes === null ? '?' : `${freeNodes}/${nodes.length}`;
}

/** How often it happened. Nothing seen is not nothing done: the notes say how much log there was. */
function seenText({ observed }: CheckFinding): string {
  if (observed === undefined) return '-';
  if (observed.unread && observed.count === 0) return 'unknown';
  if (observed.count > 0) return `${observed.count}×${observed.enforced === 0 ? ' logged' : ''}`;
  return observed.ran ? 'not seen' : 'not run';
}

function severityText({ severity, waiver }: CheckFinding): string {
  return waiver === undefined ? severity : 'waived';
}

function severityMark({ severity, waiver }: CheckFinding, style: Style): (text: string) => string {
  if (waiver !== undefined || severity === 'info') return style.faint;
  return severity === 'block' ? style.bad : style.doubtful;
}

function podsText({ pods, owner }: CheckFinding): string {
  if (pods === null) return 'each';
  return pods === 0 || owner.kind === 'Namespace' ? '-' : String(pods);
}

function nodesText({ nodes, pods }: CheckFinding): string {
  if (nodes.length > 0) return String(nodes.length);
  return pods === null ? 'all' : '-';
}

/** Name of the file, line and column; -o wide has the whole path. */
function shortPlace(finding: CheckFinding): string {
  const { span } = finding;
  if (span === undefined) return wholePlace(finding);
  const place = placeText({ ...span, file: basename(span.file) });
  return place.length > MOST_PLACE ? `…${place.slice(1 - MOST_PLACE)}` : place;
}

function wholePlace({ span, object, path }: CheckFinding): string {
  return span ? placeText(span) : `${object.kind}${path === '$' ? '' : ` ${path}`}`;
}
