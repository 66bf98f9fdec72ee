import { z } from 'zod';
import { normaliseId } from '../../model/index.ts';
import type { FlawDetail } from '../feed-content.ts';
import { type Adapter, DAY_MS, feedInvalid, isObject, isoTime, plainLine, shapedAs } from './adapter.ts';

const text = z.string().max(10_000);
const schema = z.object({
  dataType: z.literal('CVE_RECORD'),
  dataVersion: z.string().regex(/^5\./),
  cveMetadata: z.object({
    cveId: text,
    state: z.enum(['PUBLISHED', 'REJECTED', 'RESERVED']),
    datePublished: text.optional(),
  }),
  containers: z.object({
    cna: z.object({
      title: text.optional(),
      affected: z
        .array(z.object({ product: text.optional(), programFiles: z.array(text).max(10_000).optional() }))
        .max(1_000)
        .optional(),
    }),
  }),
});

/** Records of the kernel's CNA in CVE JSON 5: title (the fix's subject) and the source files it touches. */
export const kernelCna: Adapter = {
  name: 'kernel-cna',
  validityMs: 7 * DAY_MS,
  recognises: (document) => isObject(document) && document['dataType'] === 'CVE_RECORD',
  read: (documents, date) => {
    if (documents.length === 0) throw feedInvalid('kernel-cna', 'it has no record');
    const details = documents.flatMap((document): FlawDetail[] => {
      const { cveMetadata, containers } = shapedAs(schema, document, 'kernel-cna');
      const id = normaliseId(cveMetadata.cveId);
      const linux = (containers.cna.affected ?? []).filter(({ product }) => product === 'Linux');
      if (id === undefined || (linux.length === 0 && cveMetadata.state !== 'REJECTED')) return [];
      const files = [...new Set(linux.flatMap(({ programFiles }) => programFiles ?? []))]
        .filter(isSourcePath)
        .sort();
      const disclosedAt = isoTime(cveMetadata.datePublished);
      return [
        {
          feed: 'kernel-cna',
          ...{ id, aliases: [], severities: [] },
          state: cveMetadata.state === 'REJECTED' ? 'rejected' : 'active',
          ...(containers.cna.title === undefined ? {} : { title: plainLine(containers.cna.title) }),
          ...(disclosedAt === undefined ? {} : { disclosedAt }),
          ...(files.length === 0 ? {} : { programFiles: files }),
        },
      ];
    });
    return { date, claims: [], details };
  },
};

/** A path below the kernel's source: it becomes part of evidence, never of a file name here. */
function isSourcePath(path: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9_.,+/-]{0,300}$/.test(path) && !path.split('/').includes('..');
}
