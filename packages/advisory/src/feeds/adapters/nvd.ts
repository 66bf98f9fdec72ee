import { z } from 'zod';
import { normaliseId, type SeverityClaim } from '../../model/index.ts';
import type { FlawDetail } from '../feed-content.ts';
import {
  type Adapter,
  DAY_MS,
  feedInvalid,
  isObject,
  isoTime,
  levelOfScore,
  plainLine,
  shapedAs,
} from './adapter.ts';

const text = z.string().max(2_000);
const metric = z
  .array(
    z.object({
      type: text,
      cvssData: z.object({ vectorString: text, baseScore: z.number().min(0).max(10) }),
    }),
  )
  .max(50)
  .optional();
const schema = z.object({
  format: z.literal('NVD_CVE'),
  version: z.literal('2.0'),
  timestamp: text,
  totalResults: z.int().min(0).optional(),
  vulnerabilities: z
    .array(
      z.object({
        cve: z.object({
          id: text,
          published: text,
          vulnStatus: text.optional(),
          cveTags: z
            .array(z.object({ tags: z.array(text).max(50).optional() }))
            .max(50)
            .optional(),
          descriptions: z.array(z.object({ lang: text, value: z.string().max(100_000) })).max(50),
          metrics: z
            .object({ cvssMetricV40: metric, cvssMetricV31: metric, cvssMetricV30: metric })
            .optional(),
        }),
      }),
    )
    .max(1_000_000),
});
type Nvd = z.infer<typeof schema>;

/**
 * NVD's API 2.0 pages and year files. Only severity, description and state are taken: its version ranges are made for
 * upstream versions, and wrong for a distribution that carries fixes back.
 */
export const nvd: Adapter = {
  name: 'nvd',
  validityMs: 7 * DAY_MS,
  recognises: (document) => isObject(document) && document['format'] === 'NVD_CVE',
  read: (documents) => {
    const pages = documents.map((document) => shapedAs(schema, document, 'nvd'));
    for (const page of pages) requireWhole(page, pages);
    const dates = pages.flatMap(({ timestamp }) => isoTime(timestamp) ?? []).sort();
    const [oldest] = dates;
    if (oldest === undefined) throw feedInvalid('nvd', 'it has no readable timestamp');
    return {
      date: oldest,
      claims: [],
      details: pages.flatMap(({ vulnerabilities }) => vulnerabilities.flatMap(detailOf)),
    };
  },
};

/** Pages of one answer must all be there: a page that is missing looks like flaws that are none. */
function requireWhole({ totalResults }: Nvd, pages: readonly Nvd[]): void {
  if (totalResults === undefined) return;
  const parts = pages.filter((page) => page.totalResults === totalResults);
  const got = parts.reduce((sum, page) => sum + page.vulnerabilities.length, 0);
  if (got < totalResults) throw feedInvalid('nvd', `it has ${got} of ${totalResults} records`);
}

function detailOf({ cve }: Nvd['vulnerabilities'][number]): FlawDetail[] {
  const id = normaliseId(cve.id);
  if (id === undefined) return [];
  const disputed = cve.cveTags?.some(({ tags }) => tags?.includes('disputed')) ?? false;
  const description = cve.descriptions.find(({ lang }) => lang === 'en')?.value;
  const disclosedAt = isoTime(cve.published);
  return [
    {
      feed: 'nvd',
      ...{ id, aliases: [] },
      state: cve.vulnStatus === 'Rejected' ? 'rejected' : disputed ? 'disputed' : 'active',
      ...(description === undefined ? {} : { title: plainLine(description) }),
      ...(disclosedAt === undefined ? {} : { disclosedAt }),
      severities: severitiesOf(cve.metrics),
    },
  ];
}

/** The newest CVSS there is; NVD's own ("Primary") before that of others. */
function severitiesOf(metrics: Nvd['vulnerabilities'][number]['cve']['metrics']): SeverityClaim[] {
  const list = [metrics?.cvssMetricV40, metrics?.cvssMetricV31, metrics?.cvssMetricV30].find(
    (each) => each?.length,
  );
  const best = list?.find(({ type }) => type === 'Primary') ?? list?.[0];
  if (!best) return [];
  const { baseScore: score, vectorString: vector } = best.cvssData;
  return [{ source: 'nvd', level: levelOfScore(score), score, vector: plainLine(vector) }];
}
