import { asList, readJson, textAt, texts, valueAt } from '../../documents/read-json.ts';
import { decodeText, refuse } from '../../documents/read-text.ts';
import type { Finding, ScanReport } from '../../model/index.ts';
import { componentsOf, productOf } from '../findings/findings-as-records.ts';
import { componentPurl } from '../record/component-purl.ts';
import { type Fact, sortFacts } from '../record/facts.ts';
import { asIdState, asJustification, asVerdict, requireIds } from '../record/narrow.ts';
import { severityText, worstSeverity } from '../record/severity.ts';

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json';
const LEVELS: Readonly<Record<string, string>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
  none: 'note',
};
const KINDS: Readonly<Record<Finding['verdict'], string>> = {
  open: 'fail',
  unknown: 'review',
  fixed: 'pass',
  'not-affected': 'notApplicable',
};

/** writeSarif writes the result of a scan as SARIF 2.1.0, for the viewers of code hosts: a rule for each flaw, a result for each finding. */
export function writeSarif(report: ScanReport): string {
  const rules = new Map(report.findings.map((finding) => [finding.vulnerability.id, ruleOf(finding)]));
  const order = [...rules.keys()];
  const document = {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'plinth cve scan', rules: [...rules.values()] } },
        invocations: [
          {
            executionSuccessful: true,
            endTimeUtc: report.judgedAt,
            toolExecutionNotifications: report.gaps.map((text) => ({ level: 'warning', message: { text } })),
          },
        ],
        properties: { complete: report.complete, feeds: report.feeds },
        results: report.findings.map((finding) => resultOf(finding, report, order)),
      },
    ],
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function ruleOf(finding: Finding): unknown {
  const score = Math.max(...finding.severities.map((claim) => claim.score ?? -1), -1);
  return {
    id: finding.vulnerability.id,
    shortDescription: { text: finding.title ?? finding.vulnerability.id },
    ...(finding.severities.length > 0 && { help: { text: severityText(finding) } }),
    properties: { ...(score >= 0 && { 'security-severity': score.toFixed(1) }), tags: ['security'] },
  };
}

function resultOf(finding: Finding, { subject }: ScanReport, order: readonly string[]): unknown {
  const { vulnerability, verdict, components, reason, justification } = finding;
  const product = productOf(subject).id;
  const named = components.map(({ name, version, fixVersion }) => {
    return `${name} ${version}${fixVersion === undefined ? '' : ` (fixed in ${fixVersion})`}`;
  });
  const files = [...new Set(components.flatMap((component) => component.files))].slice(0, 20);
  const paths = files.length > 0 ? files : [subject.name];
  return {
    ruleId: vulnerability.id,
    ruleIndex: order.indexOf(vulnerability.id),
    // Only what fails has a level; the format demands "none" of the rest.
    kind: KINDS[verdict],
    level: verdict === 'open' ? (LEVELS[worstSeverity(finding.severities)] ?? 'warning') : 'none',
    message: {
      text: [named.join(', '), reason].filter((text) => text !== '').join(': ') || vulnerability.id,
    },
    locations: paths.map((path) => ({
      physicalLocation: { artifactLocation: { uri: uriOf(path) } },
      logicalLocations: components.map((component) => ({
        name: component.name,
        fullyQualifiedName: componentPurl(component, subject.codename),
        kind: 'module',
      })),
    })),
    partialFingerprints: { 'plinthFinding/v1': `${product}/${vulnerability.id}` },
    ...(verdict === 'not-affected' && {
      suppressions: [{ kind: 'external', status: 'accepted', justification: `${justification}: ${reason}` }],
    }),
    properties: {
      product,
      verdict,
      ...(justification !== undefined && { justification }),
      aliases: vulnerability.aliases,
      state: vulnerability.state,
      confidence: finding.evidence[0]?.confidence ?? 'derived',
      feeds: finding.feeds,
      components: componentsOf(finding, subject.codename).map(({ purl, fixVersion }) => ({
        purl,
        ...(fixVersion !== undefined && { fixVersion }),
      })),
    },
  };
}

/** A path as a relative reference (RFC 3986): viewers resolve it against the root of what was scanned. */
function uriOf(path: string): string {
  return path.toWellFormed().replace(/^\/+/, '').split('/').map(encodeURIComponent).join('/') || '.';
}

/** readSarif reads the facts of a scan back. @throws advisory/document-refused */
export function readSarif(bytes: Uint8Array, name: string): readonly Fact[] {
  const data = readJson(decodeText(bytes, name), name);
  if (textAt(data, 'version') !== '2.1.0') throw refuse(name, 'it is not SARIF 2.1.0', 'SARIF 2.1.0');
  return sortFacts(
    asList(valueAt(data, 'runs', 0, 'results')).map((result): Fact => {
      const about = valueAt(result, 'properties');
      const ids = [textAt(result, 'ruleId') ?? '', ...texts(valueAt(about, 'aliases'))];
      requireIds(ids, name);
      const [id = '', ...aliases] = ids;
      const [product, verdict] = [textAt(about, 'product'), asVerdict(textAt(about, 'verdict'))];
      if (product === undefined || verdict === undefined || textAt(result, 'kind') !== KINDS[verdict])
        throw refuse(name, 'a result has no verdict', 'results of "plinth cve scan"');
      const justification = asJustification(textAt(about, 'justification'));
      return {
        ...{ advisory: '', id, aliases, state: asIdState(textAt(about, 'state')), product, verdict },
        ...(justification && { justification }),
        components: asList(valueAt(about, 'components')).map((component) => {
          const fixVersion = textAt(component, 'fixVersion');
          return { purl: textAt(component, 'purl') ?? '', ...(fixVersion !== undefined && { fixVersion }) };
        }),
      };
    }),
  );
}
