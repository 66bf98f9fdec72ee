import type { AdvisoryRecord, Finding, RecordProduct, RecordStatus, ScanReport } from '../../model/index.ts';
import { componentPurl } from '../record/component-purl.ts';

/**
 * findingsAsRecords turns the result of a scan into records without an advisory id, so that one set of writers serves
 * both. What was scanned becomes the product, whatever its kind.
 */
export function findingsAsRecords(report: ScanReport): readonly AdvisoryRecord[] {
  const product = productOf(report.subject);
  return report.findings.map((finding) => recordOf(finding, product, report));
}

/** productOf gives what was scanned a product id: "plinth_0.1.1_amd64". */
export function productOf({ name, version, architecture, rootHash }: ScanReport['subject']): RecordProduct {
  const parts = {
    name: clean(name.toLowerCase(), /[^a-z0-9-]+/g, 64, /^[^a-z]+/) || 'image',
    version: clean(version ?? '0', /[^A-Za-z0-9.~^+-]+/g, 64) || '0',
    architecture: clean(architecture.toLowerCase(), /[^a-z0-9-]+/g, 16) || 'any',
  };
  return {
    id: `${parts.name}_${parts.version}_${parts.architecture}`,
    name,
    version: parts.version,
    architecture: parts.architecture,
    ...(rootHash !== undefined && { rootHash }),
  };
}

function clean(text: string, strange: RegExp, limit: number, start?: RegExp): string {
  const plain = text.replaceAll(strange, '-');
  return (start ? plain.replace(start, '') : plain).slice(0, limit);
}

function recordOf(
  finding: Finding,
  product: RecordProduct,
  { subject, judgedAt }: ScanReport,
): AdvisoryRecord {
  const status: RecordStatus = {
    product: product.id,
    verdict: finding.verdict,
    reason: finding.reason,
    ...(finding.justification && { justification: finding.justification }),
    components: componentsOf(finding, subject.codename),
    evidence: finding.evidence,
    decidedAt: judgedAt,
  };
  return {
    format: 1,
    id: '',
    vulnerability: finding.vulnerability,
    title: finding.title ?? finding.vulnerability.id,
    description: finding.title ?? '',
    weaknesses: [],
    severities: finding.severities,
    ...(finding.stance && { stance: finding.stance }),
    ...(finding.knownExploited && { knownExploited: finding.knownExploited }),
    ...(finding.prediction && { prediction: finding.prediction }),
    products: [product],
    statuses: [status],
    remediations: [],
    references: [],
    clocks: finding.clocks,
    state: 'interim',
    publishedAt: judgedAt,
    modifiedAt: judgedAt,
    revisions: [{ number: 1, date: judgedAt, summary: 'Result of a scan.' }],
  };
}

/** componentsOf gives components their package URLs. One that comes in by several ways is one component. */
export function componentsOf(
  finding: Pick<Finding, 'components'>,
  codename: string,
): RecordStatus['components'] {
  const components = new Map(
    finding.components.map(({ ecosystem, name, version, binaries, files, fixVersion }) => {
      const purl = componentPurl({ ecosystem, name, version }, codename);
      const component = { ecosystem, name, version, purl, binaries, files };
      return [purl, { ...component, ...(fixVersion !== undefined && { fixVersion }) }] as const;
    }),
  );
  return [...components.values()];
}
