import { asList, readJson, textAt, valueAt } from '../../documents/read-json.ts';
import { decodeText, refuse } from '../../documents/read-text.ts';
import type { AdvisoryRecord } from '../../model/index.ts';
import { compare } from '../record/facts.ts';
import type { Publisher } from '../record/publisher.ts';
import { writeXml, xml } from '../xml/write-xml.ts';
import { type CvrfDocument, cvrfMonth, monthDocument } from './model.ts';

/** Where the documents are below the address: the version of Microsoft's API that is spoken. */
export const CVRF_FOLDER = 'cvrf/v3.0';

/** One line of the list of months. */
export interface CvrfUpdate {
  readonly id: string;
  readonly title: string;
  readonly initial: string;
  readonly current: string;
  readonly url: string;
}

/** cvrfDocuments puts records into months, oldest first. */
export function cvrfDocuments(
  records: readonly AdvisoryRecord[],
  publisher: Publisher,
): readonly CvrfDocument[] {
  return [...Map.groupBy(records, cvrfMonth).values()]
    .map((month) => monthDocument(month, publisher))
    .toSorted((left, right) => compare(left.initial, right.initial));
}

function updatesOf(documents: readonly CvrfDocument[]): readonly CvrfUpdate[] {
  return documents.map(({ id, title, initial, current, publisher }) => ({
    ...{ id, title, initial, current },
    url: `${publisher.url}/${CVRF_FOLDER}/cvrf/${id}`,
  }));
}

/** writeUpdatesJson writes the list of months: `/cvrf/v3.0/updates` of Microsoft's API. */
export function writeUpdatesJson(documents: readonly CvrfDocument[], publisher: Publisher): string {
  const data = {
    '@odata.context': `${publisher.url}/${CVRF_FOLDER}/$metadata#Updates`,
    value: updatesOf(documents).map(({ id, title, initial, current, url }) => ({
      ID: id,
      Alias: id,
      DocumentTitle: title,
      Severity: null,
      InitialReleaseDate: initial,
      CurrentReleaseDate: current,
      CvrfUrl: url,
    })),
  };
  return `${JSON.stringify(data, undefined, 2)}\n`;
}

/** writeUpdatesXml writes the same list as XML. */
export function writeUpdatesXml(documents: readonly CvrfDocument[]): string {
  return writeXml(
    xml(
      'Updates',
      {},
      updatesOf(documents).map(({ id, title, initial, current, url }) =>
        xml('Update', {}, [
          xml('ID', {}, id),
          xml('Alias', {}, id),
          xml('DocumentTitle', {}, title),
          xml('InitialReleaseDate', {}, initial),
          xml('CurrentReleaseDate', {}, current),
          xml('CvrfUrl', {}, url),
        ]),
      ),
    ),
  );
}

/** readUpdates reads the list of months as JSON. @throws advisory/document-refused */
export function readUpdates(bytes: Uint8Array, name: string): readonly CvrfUpdate[] {
  const list = valueAt(readJson(decodeText(bytes, name), name), 'value');
  if (!Array.isArray(list)) throw refuse(name, 'it has no list', 'a list of updates');
  return asList(list).map((item) => ({
    id: textAt(item, 'ID') ?? '',
    title: textAt(item, 'DocumentTitle') ?? '',
    initial: textAt(item, 'InitialReleaseDate') ?? '',
    current: textAt(item, 'CurrentReleaseDate') ?? '',
    url: textAt(item, 'CvrfUrl') ?? '',
  }));
}
