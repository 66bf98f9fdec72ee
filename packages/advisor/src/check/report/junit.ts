import { escapeMarkup } from '../../report/html.ts';
import type { Rule } from '../rules/knowledge.ts';
import { type CheckResult, type Finding, ownerText, placeText } from './finding.ts';

/**
 * checkJunit writes a check as JUnit XML: one suite a workload with findings, one case a finding. What blocks is a failure,
 * what could not be read an error, what is waived skipped; warnings pass and stand in the output of their case. Valid by
 * junit-10.xsd of Jenkins' xUnit plugin, the strictest that is published for what CI systems read.
 */
export function checkJunit(result: CheckResult): string {
  const suites = Map.groupBy(result.findings, ({ owner }) => ownerText(owner));
  const failures = result.findings.filter(isFailure).length;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="plinth migrate check" tests="${result.findings.length + result.problems.length}" failures="${failures}" errors="${result.problems.length}">`,
    ...[...suites].flatMap(([name, findings]) => suiteOf(name, findings, result.rules)),
  ];
  if (result.problems.length > 0)
    lines.push(
      `  <testsuite name="input" tests="${result.problems.length}" failures="0" errors="${result.problems.length}">`,
      ...result.problems.map(
        ({ code, message, span }) =>
          `    <testcase classname="input" name="${escapeXml(code)}"><error type="${escapeXml(code)}" message="${escapeXml(message)}">${escapeXml(span ? placeText(span) : '')}</error></testcase>`,
      ),
      '  </testsuite>',
    );
  return `${[...lines, '</testsuites>'].join('\n')}\n`;
}

function suiteOf(name: string, findings: readonly Finding[], rules: CheckResult['rules']): string[] {
  const failures = findings.filter(isFailure).length;
  const skipped = findings.filter(({ waiver }) => waiver !== undefined).length;
  const counts = `tests="${findings.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  return [
    `  <testsuite name="${escapeXml(name)}" ${counts}${fileOf(findings)}>`,
    ...findings.map((finding) => `    ${caseOf(name, finding, rules[finding.rule])}`),
    '  </testsuite>',
  ];
}

/** The schema of Jenkins knows a file of suites, not of cases; a workload is nearly always in one. Lines stand in the text. */
function fileOf(findings: readonly Finding[]): string {
  const [file, ...others] = new Set(findings.flatMap(({ span }) => (span ? [span.file] : [])));
  return file === undefined || others.length > 0 ? '' : ` file="${escapeXml(file)}"`;
}

function caseOf(suite: string, finding: Finding, rule: Rule | undefined): string {
  const { container, subject, span, message, waiver, severity } = finding;
  const title = `${finding.rule} ${[container, subject].filter((part) => part !== '').join(' ')}`;
  const place = span ? placeText(span) : finding.path;
  const detail = escapeXml(`${place}\n${message}\n${rule?.why ?? ''}\nFix: ${finding.fix}`);
  const head = `<testcase classname="${escapeXml(suite)}" name="${escapeXml(title)}">`;
  if (waiver)
    return `${head}<skipped message="${escapeXml(`${waiver.reason} (until ${waiver.expires})`)}"/></testcase>`;
  if (severity === 'block')
    return `${head}<failure type="${finding.rule}" message="${escapeXml(message)}">${detail}</failure></testcase>`;
  return `${head}<system-out>${escapeXml(`${severity}: `)}${detail}</system-out></testcase>`;
}

function isFailure({ severity, waiver }: Finding): boolean {
  return severity === 'block' && waiver === undefined;
}

/** Whether XML 1.0 can say a character at all. */
function isXml(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20) return code === 0x09 || code === 0x0a || code === 0x0d;
  return !(code >= 0xd800 && code <= 0xdfff) && code !== 0xfffe && code !== 0xffff;
}

/** escapeXml makes any text safe between tags and in quotes of XML 1.0; characters it cannot say become U+FFFD. */
export function escapeXml(text: string): string {
  return escapeMarkup(Array.from(text, (char) => (isXml(char) ? char : '\ufffd')).join(''));
}
