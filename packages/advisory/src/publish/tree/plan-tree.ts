import { createHash } from 'node:crypto';
import type { AdvisoryRecord } from '../../model/index.ts';
import { writeAtom } from '../atom/atom.ts';
import { csafEntries, type ProviderKey, providerFiles } from '../csaf/provider.ts';
import { writeCsaf } from '../csaf/write-csaf.ts';
import { CVRF_FOLDER, cvrfDocuments, writeUpdatesJson, writeUpdatesXml } from '../cvrf/updates.ts';
import { writeCvrfJson } from '../cvrf/write-cvrf-json.ts';
import { writeCvrfXml } from '../cvrf/write-cvrf-xml.ts';
import { writeCycloneDxVex } from '../cyclonedx/cyclonedx-vex.ts';
import { STYLE } from '../html/page.ts';
import { writeAdvisoryPage, writeIndexPage } from '../html/pages.ts';
import { writeOpenVex } from '../openvex/openvex.ts';
import { writeOsv } from '../osv/osv.ts';
import { compare } from '../record/facts.ts';
import { CSAF_FOLDER, type Publisher } from '../record/publisher.ts';
import { formatRecord } from '../record/read-record.ts';
import { writeUpdateinfo } from '../updateinfo/updateinfo.ts';
import { RECORDS_FOLDER } from './tree-path.ts';

export interface TreeContents {
  /** Any order; each id once. */
  readonly records: readonly AdvisoryRecord[];
  readonly publisher: Publisher;
  /** Every key that documents in the tree are signed with, the current one first. */
  readonly keys: readonly ProviderKey[];
}

/** A tree before it is signed: the content of each file by its path. */
export interface TreePlan {
  readonly files: ReadonlyMap<string, string>;
  /** Files of it that get an OpenPGP signature beside them. */
  readonly signed: readonly string[];
}

/** planTree makes every file out of records. The same records are the same bytes: dates come from the records alone. */
export function planTree({ records, publisher, keys }: TreeContents): TreePlan {
  const ordered = records.toSorted((left, right) => compare(left.id, right.id));
  const at = ordered.map(({ modifiedAt }) => modifiedAt).reduce(later, '1970-01-01T00:00:00Z');
  const files = new Map<string, string>();
  const signed: string[] = [];
  for (const { record, profile, path } of csafEntries(ordered)) {
    const full = `${CSAF_FOLDER}/white/${path}`;
    const text = writeCsaf(record, profile, publisher);
    files.set(full, text);
    for (const algorithm of ['sha256', 'sha512'])
      files.set(`${full}.${algorithm}`, hashLine(algorithm, text, path));
    signed.push(full);
  }
  for (const [path, text] of providerFiles(ordered, keys, publisher, at))
    files.set(`${CSAF_FOLDER}/${path}`, text);
  for (const record of ordered) {
    files.set(`${RECORDS_FOLDER}/${record.id}.json`, formatRecord(record));
    files.set(`osv/${record.id}.json`, writeOsv(record, publisher));
    files.set(`advisories/${record.id.toLowerCase()}.html`, writeAdvisoryPage(record));
  }
  addCvrf(files, ordered, publisher);
  addVex(files, ordered, publisher, at);
  files.set('updateinfo.xml', writeUpdateinfo(ordered, publisher));
  files.set('feed.atom', writeAtom(ordered, publisher));
  files.set('index.html', writeIndexPage(ordered, publisher.name));
  files.set('style.css', STYLE);
  return { files, signed };
}

function later(left: string, right: string): string {
  return Date.parse(right) > Date.parse(left) ? right : left;
}

/** In the form of sha256sum, whose names are without folders here. */
function hashLine(algorithm: string, text: string, path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return `${createHash(algorithm).update(text).digest('hex')}  ${name}\n`;
}

function addCvrf(files: Map<string, string>, records: readonly AdvisoryRecord[], publisher: Publisher): void {
  const months = cvrfDocuments(records, publisher);
  files.set(`${CVRF_FOLDER}/updates.json`, writeUpdatesJson(months, publisher));
  files.set(`${CVRF_FOLDER}/updates.xml`, writeUpdatesXml(months));
  for (const month of months) {
    files.set(`${CVRF_FOLDER}/cvrf/${month.id}.json`, writeCvrfJson(month));
    files.set(`${CVRF_FOLDER}/cvrf/${month.id}.xml`, writeCvrfXml(month));
  }
}

/** One document of everything, and one for each release: that one also goes into the release. */
function addVex(
  files: Map<string, string>,
  records: readonly AdvisoryRecord[],
  publisher: Publisher,
  at: string,
): void {
  const products = new Set(records.flatMap(({ statuses }) => statuses.map(({ product }) => product)));
  const add = (name: string, product?: string) => {
    const path = `openvex/${name}.openvex.json`;
    const about = {
      id: `${publisher.url}/${path}`,
      publisher,
      at,
      ...(product !== undefined && { product }),
    };
    files.set(path, writeOpenVex(records, about));
  };
  add('all');
  for (const product of products) add(product, product);
  files.set('cyclonedx/all.vex.cdx.json', writeCycloneDxVex(records, { publisher, at }));
}
