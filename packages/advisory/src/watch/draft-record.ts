import type {
  AdvisoryRecord,
  Finding,
  RecordComponent,
  RecordProduct,
  RecordStatus,
  Remediation,
} from '../model/index.ts';
import type { Decision } from '../policy/index.ts';
import { componentPurl } from '../publish/record/component-purl.ts';

export interface DraftInputs {
  /** "PLSA-2026-0001", of a record that is not there yet. */
  readonly id: string;
  readonly product: RecordProduct;
  readonly codename: string;
  readonly finding: Finding;
  readonly decision: Decision;
  readonly now: Date;
}

/**
 * draftRecord makes the record of a flaw, or brings one up to date with what a scan found in one product; pure. A
 * record to which nothing new is said is given back as it is, so that a quiet run changes no file. What a person
 * wrote (title, description, weaknesses, references, state) stays.
 */
export function draftRecord(before: AdvisoryRecord | undefined, inputs: DraftInputs): AdvisoryRecord {
  const { product, finding, now } = inputs;
  const status = statusOf(inputs);
  const known = before?.statuses.find((each) => each.product === product.id);
  if (before && known && isSame(known, status)) return before;
  const at = now.toISOString();
  const products = [...(before?.products ?? []).filter(({ id }) => id !== product.id), product].sort(
    byRelease,
  );
  const statuses = withFixes(
    [...(before?.statuses ?? []).filter((each) => each !== known), status],
    products,
  );
  const summary = known ? `${product.id} is ${status.verdict} now` : `${product.id} is ${status.verdict}`;
  const revisions = [
    ...(before?.revisions ?? []),
    { number: (before?.revisions.length ?? 0) + 1, date: at, summary },
  ];
  return {
    format: 1,
    id: before?.id ?? inputs.id,
    vulnerability: finding.vulnerability,
    title: before?.title ?? titleOf(finding),
    description: before?.description ?? finding.title ?? finding.reason,
    weaknesses: before?.weaknesses ?? [],
    severities: finding.severities,
    ...(finding.stance === undefined ? {} : { stance: finding.stance }),
    ...(finding.knownExploited ? { knownExploited: finding.knownExploited } : {}),
    ...(finding.prediction ? { prediction: finding.prediction } : {}),
    products,
    statuses,
    remediations: remediesOf(before, inputs),
    references: before?.references ?? referencesOf(finding),
    clocks: { ...before?.clocks, ...finding.clocks },
    state: before?.state ?? 'draft',
    publishedAt: before?.publishedAt ?? at,
    modifiedAt: at,
    revisions,
    ...(before?.withdrawn ? { withdrawn: before.withdrawn } : {}),
  };
}

function statusOf({ finding, product, codename, now }: DraftInputs): RecordStatus {
  return {
    product: product.id,
    verdict: finding.verdict,
    reason: finding.reason,
    ...(finding.justification === undefined ? {} : { justification: finding.justification }),
    components: mergeComponents(finding, codename),
    evidence: finding.evidence,
    decidedAt: now.toISOString(),
  };
}

/** One component for each package URL: the same library in two programs is one component with two files. */
function mergeComponents({ components }: Finding, codename: string): RecordComponent[] {
  const merged = new Map<string, RecordComponent>();
  for (const { ecosystem, name, version, binaries, files, fixVersion } of components) {
    const purl = componentPurl({ ecosystem, name, version }, codename);
    const known = merged.get(purl);
    merged.set(purl, {
      ...{ ecosystem, name, version, purl },
      binaries: [...new Set([...(known?.binaries ?? []), ...binaries])],
      files: [...new Set([...(known?.files ?? []), ...files])],
      ...(fixVersion === undefined ? {} : { fixVersion }),
    });
  }
  return [...merged.values()];
}

/** A product that was open and one, released later, that is fixed: the first such one has the fix. */
function withFixes(statuses: readonly RecordStatus[], products: readonly RecordProduct[]): RecordStatus[] {
  const order = new Map(products.map(({ id }, index) => [id, index]));
  const place = ({ product }: RecordStatus) => order.get(product) ?? 0;
  const sorted = [...statuses].sort((a, b) => place(a) - place(b));
  return sorted.map(({ fixedInProduct: _, ...status }): RecordStatus => {
    const fix = sorted.find((other) => place(other) > place(status) && other.verdict === 'fixed');
    return status.verdict === 'open' && fix ? { ...status, fixedInProduct: fix.product } : status;
  });
}

function remediesOf(
  before: AdvisoryRecord | undefined,
  { finding, product, decision }: DraftInputs,
): Remediation[] {
  const others = (before?.remediations ?? []).flatMap((remedy): Remediation[] => {
    const products = remedy.products.filter((id) => id !== product.id);
    return products.length === 0 ? [] : [{ ...remedy, products }];
  });
  if (finding.verdict !== 'open') return others;
  const fix = finding.components.find(({ fixVersion }) => fixVersion !== undefined);
  const own: Remediation = fix
    ? {
        kind: 'fix',
        text: `${fix.name} ${fix.fixVersion} fixes it (${decision.action}: ${decision.reason})`,
        products: [product.id],
        restart: decision.action === 'hot-layer' ? 'service' : 'machine',
      }
    : { kind: 'none-available', text: 'No fixed version is known.', products: [product.id], restart: 'none' };
  return [...others, own];
}

function referencesOf({ vulnerability }: Finding): AdvisoryRecord['references'] {
  const { id } = vulnerability;
  if (!id.startsWith('CVE-')) return [];
  return [{ url: `https://www.cve.org/CVERecord?id=${id}`, summary: id, kind: 'external' }];
}

function titleOf({ vulnerability, components, title }: Finding): string {
  const names = [...new Set(components.map(({ name }) => name))].slice(0, 3).join(', ');
  return `${names === '' ? vulnerability.id : `${names}: ${vulnerability.id}`}${title === undefined ? '' : `: ${title}`}`.slice(
    0,
    200,
  );
}

function isSame(a: RecordStatus, b: RecordStatus): boolean {
  const bare = ({ decidedAt: _at, fixedInProduct: _fix, ...status }: RecordStatus) =>
    JSON.stringify(sortDeep(status));
  return bare(a) === bare(b);
}

function sortDeep(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortDeep);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]) => [key, sortDeep(each)]),
  );
}

function byRelease(a: RecordProduct, b: RecordProduct): number {
  return (
    (a.released ?? '').localeCompare(b.released ?? '') ||
    a.version.localeCompare(b.version, 'en', { numeric: true })
  );
}
