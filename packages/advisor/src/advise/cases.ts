import { join } from 'node:path';
import { z } from 'zod';
import { isoDate } from '../facts/dates.ts';
import { dataFolder, type Knowledge, readData } from '../facts/load.ts';
import { idSchema, known } from '../facts/schema.ts';

const line = z.string().min(1).max(300);

/** Decisions of published documents, to be reproduced for their date. */
export type Cases = z.infer<ReturnType<typeof casesSchema>>;

function casesSchema(knowledge: Knowledge) {
  const source = known('source', Object.keys(knowledge.sources));
  const system = known(
    'system',
    knowledge.systems.map(({ id }) => id),
  );
  return z.strictObject({
    published: isoDate,
    today: isoDate,
    cases: z.array(
      z.strictObject({
        id: idSchema,
        source,
        says: line,
        answers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
        /** Came first then. */
        first: z.array(system).optional(),
        /** Were the first two then, in either order. */
        among: z.array(system).optional(),
        /** Comes first now; empty: nothing fits any more. */
        today: z.array(system),
      }),
    ),
    moves: z.array(
      z.strictObject({
        id: idSchema,
        source,
        says: line,
        from: system,
        to: system,
        inPlace: z.enum(['yes', 'no']),
      }),
    ),
  });
}

/** loadCases reads data/cases.yaml. @throws advisor/data-invalid */
export async function loadCases(knowledge: Knowledge, folder: string = dataFolder): Promise<Cases> {
  return readData(join(folder, 'cases.yaml'), casesSchema(knowledge));
}
