import {
  type CheckFinding,
  type CheckKnowledge,
  type CheckResult,
  type FixStep,
  ownerText,
  verdictOf,
} from '@plinth/advisor';
import { renderDiagnostic } from '@plinth/base';
import { type Block, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { wrapText } from '../output/wrap-text.ts';

const WIDTH_CHARS = 100;
const MOST_PLACE = 36;

/** checkView shows what was found, why each rule is one and what to do; how it ended comes last. */
export function checkView(result: CheckResult, known: CheckKnowledge): Block[] {
  const used = [...new Set(result.findings.map(({ rule }) => rule))].sort();
  const explained = used.map((id) => {
    const rule = known.rules.get(id);
    return wrapText(`${id} ${rule?.title}. ${rule?.why} Fix: ${rule?.fix}`, WIDTH_CHARS - 2).join('\n  ');
  });
  return [
    table(
      [
        { header: 'SEVERITY', value: severityText, mark: severityMark },
        { header: 'RULE', value: (one) => one.rule },
        { header: 'WORKLOAD', value: (one) => ownerText(one.owner) },
        { header: 'CONTAINER', value: (one) => one.container, wide: true },
        { header: 'WHAT', value: (one) => one.subject },
        { header: 'PODS', value: ({ pods }) => (pods === null ? 'each' : String(pods)), align: 'right' },
        { header: 'NODES', value: nodesText, align: 'right' },
        { header: 'WHERE', value: shortPlace },
        { header: 'PLACE', value: placeText, wide: true },
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

/** simulateView shows what to fix first. */
export function simulateView(result: CheckResult, steps: readonly FixStep[]): Block[] {
  return [
    table(
      [
        { header: 'RANK', value: ({ rank }) => String(rank), align: 'right' },
        { header: 'WORKLOAD', value: ({ owner }) => ownerText(owner) },
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

function severityText({ severity, waiver }: CheckFinding): string {
  return waiver === undefined ? severity : 'waived';
}

function severityMark({ severity, waiver }: CheckFinding, style: Style): (text: string) => string {
  if (waiver !== undefined || severity === 'info') return style.faint;
  return severity === 'block' ? style.bad : style.doubtful;
}

function nodesText({ nodes, pods }: CheckFinding): string {
  if (nodes.length > 0) return String(nodes.length);
  return pods === null ? 'all' : '?';
}

/** Its end says more than its beginning: file, line and column. */
function shortPlace(finding: CheckFinding): string {
  const place = placeText(finding);
  return place.length > MOST_PLACE ? `…${place.slice(1 - MOST_PLACE)}` : place;
}

function placeText({ span, object, path }: CheckFinding): string {
  return span ? `${span.file}:${span.line}:${span.column}` : `${object.kind} ${path}`;
}
