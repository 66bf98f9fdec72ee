import { escapeXml } from '@plinth/advisor';
import type { ClaimResult } from '@plinth/posture';
import type { Posture } from './judge-node.ts';

/**
 * postureJunit writes postures as JUnit XML: one suite for each node and profile, one case a claim. A failed claim is a
 * failure, one that could not be judged an error; what is meant, does not apply or nothing can tell is skipped with the reason.
 */
export function postureJunit(postures: readonly Posture[]): string {
  const suites = postures.flatMap(({ nodeName, results }) =>
    [...Map.groupBy(results, ({ profile }) => profile)].map(([profile, own]) =>
      suite(`${nodeName} ${profile}`, own),
    ),
  );
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites name="plinth posture">',
    ...suites,
    '</testsuites>',
    '',
  ].join('\n');
}

function suite(name: string, results: readonly ClaimResult[]): string {
  const count = (...verdicts: ClaimResult['verdict'][]) =>
    results.filter(({ verdict }) => verdicts.includes(verdict)).length;
  const skipped = count('accepted', 'not-applicable', 'manual');
  const counts = `tests="${results.length}" failures="${count('fail')}" errors="${count('unknown')}" skipped="${skipped}"`;
  return [
    `  <testsuite name="${escapeXml(name)}" ${counts}>`,
    ...results.map((result) => `    ${testCase(name, result)}`),
    '  </testsuite>',
  ].join('\n');
}

function testCase(suiteName: string, result: ClaimResult): string {
  const { id, title, verdict, expected, found, sources, reason } = result;
  const head = `<testcase classname="${escapeXml(suiteName)}" name="${escapeXml(`${id} ${title}`)}"`;
  if (verdict === 'pass') return `${head}/>`;
  const detail = escapeXml(`expected: ${expected}\nfound: ${found}\nsource: ${sources.join(', ')}`);
  const message = escapeXml(reason === '' ? found : reason);
  if (verdict === 'fail') return `${head}><failure message="${message}">${detail}</failure></testcase>`;
  if (verdict === 'unknown') return `${head}><error message="${message}">${detail}</error></testcase>`;
  return `${head}><skipped message="${escapeXml(verdict)}: ${message}"/></testcase>`;
}
