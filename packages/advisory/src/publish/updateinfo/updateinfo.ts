import { decodeText, refuse } from '../../documents/read-text.ts';
import type { AdvisoryRecord, RecordProduct } from '../../model/index.ts';
import { compare } from '../record/facts.ts';
import { systemOf } from '../record/id-systems.ts';
import { type Publisher, pageUrl } from '../record/publisher.ts';
import { worstSeverity } from '../record/severity.ts';
import { childOf, childrenOf, readXml, textOf } from '../xml/read-xml.ts';
import { writeXml, type XmlOut, xml } from '../xml/write-xml.ts';

// The form of updateinfo.xml, which Bottlerocket and RPM distributions have: an update for each advisory that has a fix. It knows
// nothing of what is open, and nothing of what is not affected.

/** One fixed package of a release, as the index has it. */
export interface FixedPackage {
  readonly advisory: string;
  readonly ids: readonly string[];
  readonly product: string;
  readonly name: string;
  readonly version: string;
}

/** fixedPackages is what the index holds of records: all components of products that have the fix. */
export function fixedPackages(records: readonly AdvisoryRecord[]): readonly FixedPackage[] {
  return records
    .flatMap(({ id: advisory, vulnerability, statuses, withdrawn }) =>
      withdrawn
        ? []
        : statuses
            .filter(({ verdict }) => verdict === 'fixed')
            .flatMap(({ product, components }) =>
              components.map(({ name, version }): FixedPackage => {
                const ids = [vulnerability.id, ...vulnerability.aliases.toSorted()];
                return { advisory, ids, product, name, version };
              }),
            ),
    )
    .toSorted(order);
}

function order(left: FixedPackage, right: FixedPackage): number {
  const key = ({ advisory, product, name, version }: FixedPackage) =>
    [advisory, product, name, version].join('\n');
  return compare(key(left), key(right));
}

/** writeUpdateinfo writes the index. */
export function writeUpdateinfo(records: readonly AdvisoryRecord[], publisher: Publisher): string {
  const byId = new Map(records.map((record) => [record.id, record]));
  const updates = Map.groupBy(fixedPackages(records), ({ advisory }) => advisory);
  return writeXml(
    xml(
      'updates',
      {},
      [...updates].map(([id, packages]) => {
        const record = byId.get(id);
        return record ? updateElement(record, packages, publisher) : undefined;
      }),
    ),
  );
}

function updateElement(
  record: AdvisoryRecord,
  packages: readonly FixedPackage[],
  publisher: Publisher,
): XmlOut {
  const { id, aliases } = record.vulnerability;
  const worst = worstSeverity(record.severities);
  const collections = Map.groupBy(packages, ({ product }) => product);
  return xml(
    'update',
    { from: publisher.url, status: 'final', type: 'security', version: String(record.revisions.length) },
    [
      xml('id', {}, record.id),
      xml('title', {}, record.title),
      worst === 'unknown' ? undefined : xml('severity', {}, worst),
      xml('issued', { date: dateOf(record.publishedAt) }),
      xml('updated', { date: dateOf(record.modifiedAt) }),
      xml('description', {}, record.description || record.title),
      xml('references', {}, [
        ...[id, ...aliases.toSorted()].map((name) =>
          xml('reference', { type: systemOf(name) === 'CVE' ? 'cve' : 'other', id: name, title: name }),
        ),
        xml('reference', { type: 'self', id: record.id, href: pageUrl(publisher, record.id) }),
      ]),
      xml(
        'pkglist',
        {},
        [...collections].map(([product, list]) => {
          const release = record.products.find((one) => one.id === product);
          return xml('collection', { short: product }, [
            xml('name', {}, release ? `${release.name} ${release.version}` : product),
            ...list.map((item) => packageElement(item, release)),
          ]);
        }),
      ),
    ],
  );
}

function packageElement({ name, version }: FixedPackage, release: RecordProduct | undefined): XmlOut {
  return xml('package', { name, ...splitVersion(version), arch: release?.architecture });
}

/** The form has epoch, version and release apart; together they are what Debian writes in one. */
function splitVersion(text: string): {
  readonly epoch?: string;
  readonly version: string;
  readonly release?: string;
} {
  const [, epoch, rest = text] = /^(?:(\d+):)?(.+)$/.exec(text) ?? [];
  const cut = rest.lastIndexOf('-');
  const version = cut < 0 ? rest : rest.slice(0, cut);
  return {
    ...(epoch !== undefined && { epoch }),
    version,
    ...(cut >= 0 && { release: rest.slice(cut + 1) }),
  };
}

function joinVersion(attributes: Readonly<Record<string, string>>): string {
  const { epoch, version = '', release } = attributes;
  return `${epoch === undefined ? '' : `${epoch}:`}${version}${release === undefined ? '' : `-${release}`}`;
}

function dateOf(at: string): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}

/** readUpdateinfo reads the index back. @throws advisory/document-refused */
export function readUpdateinfo(bytes: Uint8Array, name: string): readonly FixedPackage[] {
  const root = readXml(decodeText(bytes, name), name);
  if (root.name !== 'updates') throw refuse(name, `its element is ${root.name}`, 'updates');
  return childrenOf(root, 'update')
    .flatMap((update) => {
      const ids = childrenOf(childOf(update, 'references'), 'reference')
        .filter(({ attributes }) => attributes['type'] !== 'self')
        .map(({ attributes }) => attributes['id'] ?? '');
      return childrenOf(childOf(update, 'pkglist'), 'collection').flatMap((collection) =>
        childrenOf(collection, 'package').map(
          ({ attributes }): FixedPackage => ({
            advisory: textOf(update, 'id') ?? '',
            ids,
            product: collection.attributes['short'] ?? '',
            name: attributes['name'] ?? '',
            version: joinVersion(attributes),
          }),
        ),
      );
    })
    .toSorted(order);
}
