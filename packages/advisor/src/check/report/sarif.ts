import { createHash } from 'node:crypto';
import type { Rule } from '../rules/knowledge.ts';
import type { Severity } from '../rules/rule.ts';
import { type CheckResult, type Finding, ownerText } from './finding.ts';
import { isComplete } from './summary.ts';

const LEVELS: Readonly<Record<Severity, string>> = {
  block: 'error',
  warn: 'warning',
  unknown: 'warning',
  info: 'note',
};

/**
 * checkSarif writes a check as SARIF 2.1.0. Findings in files have their region; those of a live cluster a logical
 * location. What could not be read is a notification, and the run then says that it was not successful.
 */
export function checkSarif(result: CheckResult, version: string): string {
  const used = [...new Set(result.findings.map(({ rule }) => rule))].sort();
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'plinth migrate check',
            version,
            informationUri: 'https://plinth.dev/',
            rules: used.map((id) => ruleOf(id, result.rules[id])),
          },
        },
        columnKind: 'utf16CodeUnits',
        invocations: [
          {
            executionSuccessful: isComplete(result),
            toolExecutionNotifications: result.problems.map(({ code, message, span }) => ({
              descriptor: { id: code },
              level: 'error',
              message: { text: message },
              ...(span && { locations: [{ physicalLocation: physical(span) }] }),
            })),
          },
        ],
        results: result.findings.map((finding) => resultOf(finding, used)),
        properties: { target: result.target.id, asOf: result.asOf },
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ruleOf(id: string, rule: Rule | undefined): object {
  return {
    id,
    name: rule?.name ?? id,
    shortDescription: { text: rule?.title ?? id },
    fullDescription: { text: rule?.why ?? '' },
    help: { text: `${rule?.fix ?? ''} Source: ${rule?.source ?? ''}.` },
    defaultConfiguration: { level: LEVELS[rule?.severity ?? 'warn'] },
  };
}

function resultOf(finding: Finding, used: readonly string[]): object {
  const { rule, severity, message, span, owner, path, container, subject, waiver } = finding;
  return {
    ruleId: rule,
    ruleIndex: used.indexOf(rule),
    level: LEVELS[severity],
    message: { text: `${ownerText(owner)}${container === '' ? '' : `, container ${container}`}: ${message}` },
    locations: [
      {
        ...(span && { physicalLocation: physical(span) }),
        logicalLocations: [{ fullyQualifiedName: `${ownerText(owner)} ${path}`, kind: 'object' }],
      },
    ],
    // The same finding after lines above it were added.
    partialFingerprints: {
      'plinthFinding/v1': createHash('sha256')
        .update([rule, ownerText(owner), container, subject].join('\n'))
        .digest('hex'),
    },
    ...(waiver && {
      suppressions: [
        { kind: 'external', status: 'accepted', justification: `${waiver.reason} (until ${waiver.expires})` },
      ],
    }),
    properties: { severity, fix: finding.fix, pods: finding.pods, nodes: finding.nodes.length },
  };
}

function physical({ file, line, column, length }: NonNullable<Finding['span']>): object {
  const path = file.toWellFormed().split('/').map(encodeURIComponent).join('/');
  // A path from the root without a scheme would be taken for one from the root of the repository.
  return {
    artifactLocation: { uri: path.startsWith('/') ? `file://${path}` : path },
    region: { startLine: line, startColumn: column, endColumn: column + length },
  };
}
