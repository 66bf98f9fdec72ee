import { decodeText, refuse } from '../../documents/read-text.ts';
import type { AdvisoryRecord } from '../../model/index.ts';
import { compare } from '../record/facts.ts';
import { type Publisher, pageUrl } from '../record/publisher.ts';
import { childrenOf, readXml, textOf } from '../xml/read-xml.ts';
import { writeXml, xml } from '../xml/write-xml.ts';

/** An entry of the feed. */
export interface AtomEntry {
  readonly title: string;
  readonly url: string;
  readonly published: string;
  readonly updated: string;
  /** Identifiers of the flaw, the first one the name to show. */
  readonly ids: readonly string[];
}

/** A feed holds the newest entries: readers ask for it again and again. */
const ENTRIES_LIMIT = 200;

/** atomEntries is what the feed holds: the advisories changed last. */
export function atomEntries(records: readonly AdvisoryRecord[], publisher: Publisher): readonly AtomEntry[] {
  return records
    .toSorted(
      (left, right) =>
        Date.parse(right.modifiedAt) - Date.parse(left.modifiedAt) || compare(left.id, right.id),
    )
    .slice(0, ENTRIES_LIMIT)
    .map((record) => ({
      title: `${record.id}: ${record.title}${record.withdrawn ? ' (withdrawn)' : ''}`,
      url: pageUrl(publisher, record.id),
      published: record.publishedAt,
      updated: record.modifiedAt,
      ids: [record.vulnerability.id, ...record.vulnerability.aliases],
    }));
}

/** writeAtom writes the feed (RFC 4287). Summaries are plain text. */
export function writeAtom(records: readonly AdvisoryRecord[], publisher: Publisher): string {
  const entries = atomEntries(records, publisher);
  const self = `${publisher.url}/feed.atom`;
  return writeXml(
    xml('feed', { xmlns: 'http://www.w3.org/2005/Atom' }, [
      xml('id', {}, self),
      xml('title', { type: 'text' }, `Security advisories of ${publisher.name}`),
      xml('updated', {}, entries[0]?.updated ?? '1970-01-01T00:00:00Z'),
      xml('author', {}, [xml('name', {}, publisher.name)]),
      xml('link', { rel: 'self', type: 'application/atom+xml', href: self }),
      xml('link', { rel: 'alternate', type: 'text/html', href: `${publisher.url}/` }),
      ...entries.map(({ title, url, published, updated, ids }) =>
        xml('entry', {}, [
          xml('id', {}, url),
          xml('title', { type: 'text' }, title),
          xml('published', {}, published),
          xml('updated', {}, updated),
          xml('link', { rel: 'alternate', type: 'text/html', href: url }),
          ...ids.map((term) => xml('category', { term })),
        ]),
      ),
    ]),
  );
}

/** readAtom reads the feed back. @throws advisory/document-refused */
export function readAtom(bytes: Uint8Array, name: string): readonly AtomEntry[] {
  const root = readXml(decodeText(bytes, name), name);
  if (root.name !== 'feed') throw refuse(name, `its element is ${root.name}`, 'feed');
  return childrenOf(root, 'entry').map((entry) => ({
    title: textOf(entry, 'title') ?? '',
    url: textOf(entry, 'id') ?? '',
    published: textOf(entry, 'published') ?? '',
    updated: textOf(entry, 'updated') ?? '',
    ids: childrenOf(entry, 'category').map(({ attributes }) => attributes['term'] ?? ''),
  }));
}
