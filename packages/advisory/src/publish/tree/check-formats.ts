import { isDeepStrictEqual } from 'node:util';
import type { AdvisoryRecord } from '../../model/index.ts';
import { atomEntries, readAtom } from '../atom/atom.ts';
import { csafEntries, readProviderMetadata } from '../csaf/provider.ts';
import { readCsaf } from '../csaf/read-csaf.ts';
import { cvrfMonth } from '../cvrf/model.ts';
import { readCvrfJson, readCvrfXml } from '../cvrf/read-cvrf.ts';
import { CVRF_FOLDER, readUpdates } from '../cvrf/updates.ts';
import { readCycloneDxVex } from '../cyclonedx/cyclonedx-vex.ts';
import { readAdvisoryPage } from '../html/pages.ts';
import { readOpenVex } from '../openvex/openvex.ts';
import { readOsv } from '../osv/osv.ts';
import { factsOf } from '../record/facts.ts';
import { CSAF_FOLDER } from '../record/publisher.ts';
import { fixedPackages, readUpdateinfo } from '../updateinfo/updateinfo.ts';
import type { ReadFile } from './open-tree.ts';

/** A check by its name: what was found, or an error that names the file that says something else. */
export type FormatCheck = readonly [subject: string, work: () => Promise<string>];

/** formatChecks reads every format back and holds it against the records. */
export function formatChecks(records: readonly AdvisoryRecord[], read: ReadFile): readonly FormatCheck[] {
  const same = (path: string, found: unknown, expected: unknown) => {
    if (!isDeepStrictEqual(found, expected)) throw new Error(`${path} says something else than the records`);
  };
  /** One file for each record. */
  const each = (
    pathOf: (record: AdvisoryRecord) => string,
    reader: (bytes: Uint8Array, name: string) => unknown,
  ) => {
    return async () => {
      for (const record of records) {
        const path = pathOf(record);
        same(path, reader(await read(path), path), factsOf([record]));
      }
      return `${records.length} documents say what the records say`;
    };
  };
  /** One file for all. */
  const whole = (
    path: string,
    reader: (bytes: Uint8Array, name: string) => unknown,
    expected: () => unknown,
  ) => {
    return async () => {
      same(path, reader(await read(path), path), expected());
      return 'it says what the records say';
    };
  };
  return [
    [
      'CSAF',
      async () => {
        const entries = csafEntries(records);
        for (const { record, path } of entries) {
          const full = `${CSAF_FOLDER}/white/${path}`;
          same(full, readCsaf(await read(full), full), factsOf([record]));
        }
        return `${entries.length} documents say what the records say`;
      },
    ],
    ['CVRF', async () => checkCvrf(records, read, same)],
    ['OSV', each(({ id }) => `osv/${id}.json`, readOsv)],
    ['OpenVEX', async () => checkOpenVex(records, read, same)],
    ['CycloneDX', whole('cyclonedx/all.vex.cdx.json', readCycloneDxVex, () => factsOf(records))],
    ['index of updates', whole('updateinfo.xml', readUpdateinfo, () => fixedPackages(records))],
    [
      'feed',
      async () => {
        const path = `${CSAF_FOLDER}/provider-metadata.json`;
        const { publisher } = readProviderMetadata(await read(path), path);
        same('feed.atom', readAtom(await read('feed.atom'), 'feed.atom'), atomEntries(records, publisher));
        return 'it says what the records say';
      },
    ],
    ['pages', each(({ id }) => `advisories/${id.toLowerCase()}.html`, readAdvisoryPage)],
  ];
}

type Same = (path: string, found: unknown, expected: unknown) => void;

async function checkCvrf(records: readonly AdvisoryRecord[], read: ReadFile, same: Same): Promise<string> {
  const months = Map.groupBy(records, cvrfMonth);
  const list = `${CVRF_FOLDER}/updates.json`;
  const listed = readUpdates(await read(list), list).map(({ id }) => id);
  same(list, listed.toSorted(), [...months.keys()].sort());
  for (const [month, group] of months) {
    const path = `${CVRF_FOLDER}/cvrf/${month}`;
    same(`${path}.json`, readCvrfJson(await read(`${path}.json`), `${path}.json`), factsOf(group));
    same(`${path}.xml`, readCvrfXml(await read(`${path}.xml`), `${path}.xml`), factsOf(group));
  }
  return `what the records say, as XML and as JSON; months: ${months.size}`;
}

async function checkOpenVex(records: readonly AdvisoryRecord[], read: ReadFile, same: Same): Promise<string> {
  const facts = factsOf(records);
  const products = [...new Set(facts.map(({ product }) => product))];
  for (const product of [undefined, ...products]) {
    const path = `openvex/${product ?? 'all'}.openvex.json`;
    const expected = product === undefined ? facts : facts.filter((fact) => fact.product === product);
    same(path, readOpenVex(await read(path), path), expected);
  }
  return `${products.length + 1} documents say what the records say`;
}
