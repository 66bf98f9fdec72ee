import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { reportHtml } from '../../report/html.ts';
import { reportMarkdown } from '../../report/markdown.ts';
import type { Rule } from '../rules/knowledge.ts';
import { checkReport } from './check-report.ts';
import type { CheckResult, Finding } from './finding.ts';
import { checkJunit } from './junit.ts';
import { checkSarif } from './sarif.ts';
import { simulateFixes } from './simulate.ts';
import { countFindings, verdictOf } from './summary.ts';
import { applyWaivers, parseWaivers } from './waivers.ts';

const EVIL = `<script>alert("1")</script>&'|\`*_[x](javascript:1)\u0000\ud800`;
const rule: Rule = {
  ...{ id: 'PLM001', name: 'host-path-read-only', title: 'Writes to a host path', severity: 'block' },
  ...{ why: 'It is read-only.', fix: 'Write elsewhere.', source: 'a page' },
};

function finding(name: string, more: Partial<Finding> = {}): Finding {
  const object = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name };
  return {
    ...{
      rule: 'PLM001',
      severity: 'block',
      message: 'writes',
      subject: '/usr',
      container: 'a',
      fact: '',
      fix: 'Move.',
    },
    ...{ owner: { kind: 'Deployment', namespace: 'shop', name }, object, path: '$.spec', pods: 1, nodes: [] },
    ...more,
  };
}

function result(findings: readonly Finding[], more: Partial<CheckResult> = {}): CheckResult {
  return {
    ...{
      target: { id: 'plinth', name: 'Plinth', sources: {} },
      asOf: '2026-11-22',
      objects: 3,
      workloads: 2,
      pods: 1,
    },
    ...{ nodes: [], findings, problems: [], moreProblems: 0, notes: [], rules: { PLM001: rule } },
    ...more,
  };
}

describe('waivers', () => {
  const text = (expires: string) => `waivers:
  - rule: PLM001
    workload: "Deployment shop/*"
    subject: /usr
    reason: it is replaced in December
    expires: ${expires}
`;
  const apply = (expires: string) =>
    applyWaivers(
      result([finding('web'), finding('web', { subject: '/opt' })]),
      parseWaivers(text(expires), 'w.yaml', ['PLM001']),
    );

  test('excuse what they name up to their last day', () => {
    const waived = apply('2026-11-22');
    assert.equal(waived.findings[0]?.waiver?.expires, '2026-11-22');
    assert.equal(waived.findings[1]?.waiver, undefined);
    assert.equal(countFindings(waived).block, 1);
    assert.deepEqual(waived.notes, []);
  });

  test('that have expired excuse nothing, and it is said', () => {
    const expired = apply('2026-11-21');
    assert.equal(countFindings(expired).block, 2);
    assert.match(expired.notes.join(), /PLM001 of Deployment shop\/\* expired on 2026-11-21/);
  });

  test('that excuse nothing are said too', () => {
    const unused = applyWaivers(result([]), parseWaivers(text('2027-01-01'), 'w.yaml', ['PLM001']));
    assert.match(unused.notes.join(), /excuses nothing: there is no such finding/);
  });

  test('without a reason or a day, or for a rule that is not there, are refused with line and column', () => {
    assert.throws(
      () => parseWaivers('waivers:\n  - rule: PLM001\n    workload: x\n', 'w.yaml', ['PLM001']),
      (error: unknown) => {
        const { code, diagnostics } = error as {
          code: string;
          diagnostics: readonly { span?: { line: number } }[];
        };
        assert.equal(code, 'check/waivers-invalid');
        assert.equal(diagnostics.length, 2);
        assert.equal(diagnostics[0]?.span?.line, 2);
        return true;
      },
    );
    assert.throws(() => parseWaivers(text('2027-01-01'), 'w.yaml', ['PLM002']), {
      code: 'check/waivers-invalid',
    });
  });
});

describe('simulation', () => {
  test('fixes first what frees most nodes, and counts nodes that are free then', () => {
    const nodes = ['n1', 'n2', 'n3', 'n4'];
    const steps = simulateFixes(
      result(
        [
          finding('narrow', { nodes: ['n1'] }),
          finding('wide', { nodes: ['n2', 'n3'] }),
          finding('both', { nodes: ['n1', 'n2', 'n3'], severity: 'warn' }),
          finding('waived', { nodes, waiver: { reason: 'because it is', expires: '2027-01-01' } }),
        ],
        { nodes },
      ),
    );
    assert.deepEqual(
      steps.map(({ owner, freeNodes, nodes: on }) => [owner.name, on, freeNodes]),
      [
        ['wide', 2, 3],
        ['narrow', 1, 4],
        ['both', 3, 4],
      ],
    );
  });

  test('a daemon of which no pod was seen is on all nodes', () => {
    const [step] = simulateFixes(result([finding('net', { pods: null })], { nodes: ['n1', 'n2'] }));
    assert.deepEqual([step?.nodes, step?.pods, step?.freeNodes], [2, null, 2]);
    const [unknown] = simulateFixes(result([finding('net', { pods: null })]));
    assert.deepEqual([unknown?.nodes, unknown?.freeNodes], [null, null]);
  });

  test('each workload once, what blocks before what does not, nodes never less free (property)', () => {
    const arbitrary = fc.array(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
        severity: fc.constantFrom('block' as const, 'warn' as const, 'unknown' as const, 'info' as const),
        nodes: fc.uniqueArray(fc.constantFrom('n1', 'n2', 'n3', 'n4')),
      }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(arbitrary, (list) => {
        const nodes = ['n1', 'n2', 'n3', 'n4'];
        const steps = simulateFixes(
          result(
            list.map(({ name, ...more }) => finding(name, more)),
            { nodes },
          ),
        );
        const wanted = new Set(list.filter(({ severity }) => severity !== 'info').map(({ name }) => name));
        assert.deepEqual(steps.map(({ owner }) => owner.name).sort(), [...wanted].sort());
        const blocking = steps.map(({ block }) => (block > 0 ? 1 : 0));
        assert.deepEqual(
          blocking,
          blocking.toSorted((a, b) => b - a),
        );
        const free = steps.map(({ freeNodes }) => freeNodes ?? -1);
        assert.deepEqual(
          free,
          free.toSorted((a, b) => a - b),
        );
        if (steps.length > 0) assert.equal(free.at(-1), 4);
      }),
    );
  });
});

describe('forms', () => {
  const span = { file: `a b/${EVIL}.yaml`, line: 3, column: 7, length: 4 };
  const evil = result(
    [
      finding(EVIL, { message: EVIL, subject: EVIL, span }),
      finding('w', { severity: 'warn', waiver: { reason: EVIL, expires: '2027-01-01' } }),
    ],
    {
      notes: [EVIL],
      problems: [{ code: 'check/broken-yaml', severity: 'error', message: EVIL, span }],
    },
  );

  test('SARIF: version, rules by index, places, what is waived, and that not all was read', () => {
    const log = JSON.parse(checkSarif(evil, '1.2.3')) as {
      version: string;
      runs: {
        tool: { driver: { rules: { id: string }[] } };
        invocations: { executionSuccessful: boolean; toolExecutionNotifications: unknown[] }[];
        results: {
          ruleId: string;
          ruleIndex: number;
          level: string;
          locations: {
            physicalLocation?: { artifactLocation: { uri: string }; region: Record<string, number> };
          }[];
          suppressions?: { status: string }[];
        }[];
      }[];
    };
    assert.equal(log.version, '2.1.0');
    const [run] = log.runs;
    const [first, second] = run?.results ?? [];
    assert.equal(run?.tool.driver.rules[first?.ruleIndex ?? -1]?.id, first?.ruleId);
    assert.equal(first?.level, 'error');
    const place = first?.locations[0]?.physicalLocation;
    assert.deepEqual(place?.region, { startLine: 3, startColumn: 7, endColumn: 11 });
    assert.match(place?.artifactLocation.uri ?? '', /^a%20b\/%3Cscript%3E/);
    assert.equal(second?.suppressions?.[0]?.status, 'accepted');
    assert.equal(run?.invocations[0]?.executionSuccessful, false);
    assert.equal(run?.invocations[0]?.toolExecutionNotifications.length, 1);
  });

  test('SARIF: a path from the root is a URI of its own, a relative one is of the repository', () => {
    const uriOf = (file: string) => {
      const [finding] = evil.findings;
      assert.ok(finding?.span);
      const log = checkSarif(result([{ ...finding, span: { ...finding.span, file } }]), '1.2.3');
      return /"uri": "([^"]*)"/.exec(log)?.[1];
    };
    assert.equal(uriOf('/srv/a b.yaml'), 'file:///srv/a%20b.yaml');
    assert.equal(uriOf('deploy/a.yaml'), 'deploy/a.yaml');
  });

  test('JUnit: well-formed whatever the names, what blocks is a failure, what was not read an error', () => {
    const xml = checkJunit(evil);
    assert.match(xml, /tests="3" failures="1" errors="1"/);
    assert.match(xml, /<skipped message=/);
    assertWellFormed(xml);
  });

  test('HTML runs nothing and Markdown has no markup from outside', () => {
    const report = checkReport(evil);
    const html = reportHtml(report);
    assert.doesNotMatch(html, /<script|onerror|<a /i);
    assert.match(html, /&lt;script&gt;/);
    const markdown = reportMarkdown(report);
    assert.doesNotMatch(markdown, /(?<!\\)<script/);
    assert.doesNotMatch(markdown, /(?<!\\)\[x(?<!\\)\]\(/);
  });

  test('a report says what the facts of its findings were read in, and when', () => {
    const sources = { paths: { title: 'os/paths.yaml', read: '2026-11-22', confidence: 'documented' } };
    const report = checkReport(result([finding('w')], { target: { id: 'plinth', name: 'Plinth', sources } }));
    assert.match(
      reportMarkdown(report),
      /## Facts about Plinth[^|]*\|[^\n]*\n[^\n]*\n\| paths \| os\/paths\.yaml \| 2026-11-22 \| documented \|/,
    );
  });

  test('the last sentence says that not all was read', () => {
    assert.match(verdictOf(evil), /1 block, 1 waived; 1 thing could not be read, so this is not all\.$/);
    assert.match(verdictOf(result([])), /nothing found\.$/);
  });
});

/** Tags that close in order, and no sign that would need to be escaped. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  const rest = xml
    .replace(/^<\?xml[^>]*\?>/, '')
    .replace(/<(\/?)([a-z-]+)((?:\s[\w-]+="[^"<]*")*)\s*(\/?)>/g, (_, end, name, __, alone) => {
      if (end) assert.equal(open.pop(), name);
      else if (!alone) open.push(String(name));
      return '';
    });
  assert.deepEqual(open, []);
  assert.doesNotMatch(rest, /[<>]|&(?!(?:amp|lt|gt|quot|apos);)/);
  assert.ok(!rest.includes('\0'));
}
