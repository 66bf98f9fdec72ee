import type { Part, Report } from '../../report/document.ts';
import { severities } from '../rules/rule.ts';
import { type CheckResult, type Finding, ownerText, placeText } from './finding.ts';
import { simulateFixes } from './simulate.ts';
import { openFindings, verdictOf } from './summary.ts';

/** checkReport is a check as a document, for Markdown and HTML. */
export function checkReport(result: CheckResult): Report {
  const open = openFindings(result);
  const waived = result.findings.filter(({ waiver }) => waiver !== undefined);
  const rules = Object.values(result.rules);
  const steps = simulateFixes(result);
  return {
    title: `Workloads before a move to ${result.target.name}`,
    sections: [
      {
        heading: 'Result',
        parts: [
          { kind: 'text', text: `${verdictOf(result)} Judged for ${result.asOf}.` },
          ...(result.notes.length > 0 ? [{ kind: 'list', items: result.notes } satisfies Part] : []),
        ],
      },
      ...(result.problems.length === 0
        ? []
        : [
            {
              heading: 'What could not be read',
              parts: [
                tableOf(
                  ['Where', 'Code', 'Why'],
                  result.problems.map(({ code, message, span }) => [
                    span ? placeText(span) : '',
                    code,
                    message,
                  ]),
                ),
              ],
            },
          ]),
      ...(steps.length === 0
        ? []
        : [
            {
              heading: 'What to fix first',
              parts: [
                tableOf(
                  ['Rank', 'Workload', 'Block', 'Warn', 'Nodes', 'Pods', 'Nodes free then', 'Rules'],
                  steps.map((step) => [
                    String(step.rank),
                    ownerText(step.owner),
                    String(step.block),
                    String(step.warn),
                    step.nodes === null ? 'all' : String(step.nodes),
                    step.pods === null ? 'each node' : String(step.pods),
                    step.freeNodes === null ? 'not known' : String(step.freeNodes),
                    step.rules.join(', '),
                  ]),
                ),
              ],
            },
          ]),
      ...severities.flatMap((severity) => {
        const rows = open.filter((finding) => finding.severity === severity);
        return rows.length === 0 ? [] : [{ heading: `Findings: ${severity}`, parts: [findingsTable(rows)] }];
      }),
      ...(waived.length === 0
        ? []
        : [
            {
              heading: 'Waived',
              parts: [
                tableOf(
                  ['Rule', 'Workload', 'What', 'Until', 'Reason'],
                  waived.map(({ rule, owner, subject, waiver }) => [
                    rule,
                    ownerText(owner),
                    subject,
                    waiver?.expires ?? '',
                    waiver?.reason ?? '',
                  ]),
                ),
              ],
            },
          ]),
      ...(rules.length === 0
        ? []
        : [
            {
              heading: 'Rules',
              parts: [
                tableOf(
                  ['Rule', 'What', 'Why', 'Fix', 'Source'],
                  rules.map(({ id, title, why, fix, source }) => [id, title, why, fix, source]),
                ),
              ],
            },
          ]),
      ...factsSection(result),
    ],
  };
}

/** What the facts about the target were read in. */
function factsSection({ target }: CheckResult): Report['sections'] {
  const rows = Object.entries(target.sources).map(([id, { title, read, confidence }]) => [
    id,
    title,
    read,
    confidence,
  ]);
  if (rows.length === 0) return [];
  return [
    {
      heading: `Facts about ${target.name}`,
      parts: [tableOf(['Fact', 'Read in', 'On', 'Confidence'], rows)],
    },
  ];
}

function findingsTable(findings: readonly Finding[]): Part {
  return tableOf(
    ['Rule', 'Workload', 'Container', 'Finding', 'Fix', 'Pods', 'Nodes', 'Where'],
    findings.map(({ rule, owner, container, message, fix, pods, nodes, span, path }) => [
      rule,
      ownerText(owner),
      container,
      message,
      fix,
      pods === null ? 'each node' : String(pods),
      nodes.length > 0 ? String(nodes.length) : pods === null ? 'all' : 'not known',
      span ? placeText(span) : path,
    ]),
  );
}

function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): Part {
  return { kind: 'table', header, rows };
}
