import { z } from 'zod';
import { normaliseId } from '../../model/index.ts';
import type { FlawDetail } from '../feed-content.ts';
import {
  type Adapter,
  DAY_MS,
  feedInvalid,
  isObject,
  isoTime,
  onlyOne,
  plainLine,
  shapedAs,
} from './adapter.ts';

const text = z.string().max(10_000);
const schema = z.object({
  catalogVersion: text,
  dateReleased: text,
  count: z.int().min(0),
  vulnerabilities: z
    .array(
      z.object({
        cveID: text,
        vulnerabilityName: text,
        dateAdded: text,
        dueDate: text.optional(),
        knownRansomwareCampaignUse: text.optional(),
      }),
    )
    .max(1_000_000),
});

/** CISA's catalogue of known exploited vulnerabilities. */
export const kev: Adapter = {
  name: 'kev',
  validityMs: 14 * DAY_MS,
  recognises: (document) =>
    isObject(document) && 'catalogVersion' in document && 'vulnerabilities' in document,
  read: (documents) => {
    const catalogue = shapedAs(schema, onlyOne(documents, 'kev'), 'kev');
    const { count, vulnerabilities } = catalogue;
    if (count !== vulnerabilities.length)
      throw feedInvalid('kev', `it has ${vulnerabilities.length} of ${count} records`);
    const date = isoTime(catalogue.dateReleased);
    if (date === undefined) throw feedInvalid('kev', 'its date cannot be read');
    const details = vulnerabilities.flatMap((entry): FlawDetail[] => {
      const id = normaliseId(entry.cveID);
      const addedAt = isoTime(entry.dateAdded);
      if (id === undefined || addedAt === undefined) return [];
      const dueAt = isoTime(entry.dueDate);
      return [
        {
          feed: 'kev',
          ...{ id, aliases: [], state: 'active', severities: [] },
          title: plainLine(entry.vulnerabilityName),
          knownExploited: {
            addedAt,
            ...(dueAt === undefined ? {} : { dueAt }),
            ransomware: entry.knownRansomwareCampaignUse === 'Known',
          },
        },
      ];
    });
    return { date, claims: [], details };
  },
};
