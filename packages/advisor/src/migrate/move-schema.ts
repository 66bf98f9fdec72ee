import { join } from 'node:path';
import { z } from 'zod';
import type { Condition } from '../advise/condition.ts';
import { conditionSchema } from '../advise/condition-schema.ts';
import type { Question } from '../advise/rule-schema.ts';
import { dataFolder, type Knowledge, readData, readFolder } from '../facts/load.ts';
import { confidences, idSchema, known } from '../facts/schema.ts';
import { platformIds, systemFacts } from '../facts/vocabulary.ts';

const line = z.string().min(1).max(400);

/** Which way leads from one system to another; the first that fits decides. */
export interface Move {
  readonly id: string;
  readonly on?: readonly string[] | undefined;
  readonly from?: readonly string[] | undefined;
  readonly to?: readonly string[] | undefined;
  /** Only when the target does not run on the platform of the pool. */
  readonly crossing?: true | undefined;
  readonly inPlace: 'yes' | 'no' | 'unverified';
  /** Id of a method. */
  readonly way: string;
  readonly reason: string;
  readonly source: string;
  readonly confidence: (typeof confidences)[number];
}

/** What must be so before a move. */
export interface Prerequisite {
  readonly id: string;
  readonly on?: readonly string[] | undefined;
  readonly ways?: readonly string[] | undefined;
  readonly to?: readonly string[] | undefined;
  readonly severity: 'blocks' | 'warns';
  readonly need: Condition;
  readonly says: string;
  readonly source: string;
  readonly fix?: string | undefined;
}

/** What is worth knowing before a move. */
export interface Note {
  readonly id: string;
  readonly on?: readonly string[] | undefined;
  readonly from?: readonly string[] | undefined;
  readonly to?: readonly string[] | undefined;
  readonly says: string;
  readonly source: string;
}

export interface Step {
  readonly title: string;
  readonly when?: Condition | undefined;
  /** Commands with {placeholders}; empty: done in a way that only its reader knows. */
  readonly run: readonly string[];
  readonly note?: string | undefined;
  /** It runs the check of workloads, which needs facts of its own about the target. */
  readonly check?: true | undefined;
}

/** How a move is made. */
export interface Method {
  readonly id: string;
  readonly title: string;
  readonly effort: 'hours' | 'days' | 'weeks';
  readonly source: string;
  readonly settings: readonly {
    readonly name: string;
    readonly value: string;
    readonly why: string;
    readonly run?: string | undefined;
    readonly source: string;
  }[];
  readonly steps: readonly Step[];
  readonly wayBack: { readonly run: readonly string[]; readonly says: string; readonly ends: string };
  readonly time: {
    readonly nodeStartSeconds: number;
    /** Absent where no node is drained: workloads move to another cluster, and nobody can tell how long that takes. */
    readonly drainMinutes?: number | undefined;
    /** New nodes start all at once and only the old ones are drained one by one. */
    readonly together?: true | undefined;
    readonly source: string;
    readonly says: string;
  };
}

/** All that is known about moving. */
export interface Moves {
  readonly moves: readonly Move[];
  readonly prerequisites: readonly Prerequisite[];
  readonly notes: readonly Note[];
  readonly methods: readonly Method[];
  /** What can be known of a pool. */
  readonly properties: readonly Question[];
}

/**
 * loadMoves reads moves, prerequisites, methods and properties of pools below a folder.
 * @throws advisor/data-invalid
 */
export async function loadMoves(knowledge: Knowledge, folder: string = dataFolder): Promise<Moves> {
  const source = known('source', Object.keys(knowledge.sources));
  const systems = z
    .array(
      known(
        'system',
        knowledge.systems.map(({ id }) => id),
      ),
    )
    .min(1)
    .optional();
  const on = z.array(z.enum(platformIds)).min(1).optional();
  const pool = await readData(join(folder, 'pool.yaml'), poolSchema);
  const properties = Object.entries(pool.properties).map(([id, one]) => ({ ...one, id }));
  const condition = conditionSchema(Object.keys(systemFacts), Object.keys(pool.properties));
  const methods = await readFolder(join(folder, 'methods'), methodSchema(condition, source));
  const way = known(
    'method',
    methods.map(({ id }) => id),
  );
  const { moves } = await readData(
    join(folder, 'moves.yaml'),
    z.strictObject({
      moves: z.array(
        z.strictObject({
          id: idSchema,
          on,
          from: systems,
          to: systems,
          crossing: z.literal(true).optional(),
          inPlace: z.enum(['yes', 'no', 'unverified']),
          way,
          reason: line,
          source,
          confidence: z.enum(confidences).default('documented'),
        }),
      ),
    }),
  );
  const before = await readData(
    join(folder, 'prerequisites.yaml'),
    z.strictObject({
      prerequisites: z.array(
        z.strictObject({
          id: idSchema,
          on,
          ways: z.array(way).min(1).optional(),
          to: systems,
          severity: z.enum(['blocks', 'warns']),
          need: condition,
          says: line,
          source,
          fix: line.optional(),
        }),
      ),
      notes: z.array(z.strictObject({ id: idSchema, on, from: systems, to: systems, says: line, source })),
    }),
  );
  return { moves, methods, properties, ...before };
}

const poolSchema = z.strictObject({
  properties: z.record(
    idSchema,
    z.strictObject({
      ask: line,
      choices: z.record(z.string(), line),
      free: z.literal('version').optional(),
    }),
  ),
});

function methodSchema(condition: z.ZodType<Condition>, source: z.ZodType<string>): z.ZodType<Method> {
  return z.strictObject({
    id: idSchema,
    title: line,
    effort: z.enum(['hours', 'days', 'weeks']),
    source,
    settings: z.array(z.strictObject({ name: line, value: line, why: line, run: line.optional(), source })),
    steps: z
      .array(
        z.strictObject({
          title: line,
          when: condition.optional(),
          run: z.array(line),
          note: line.optional(),
          check: z.literal(true).optional(),
        }),
      )
      .min(1),
    wayBack: z.strictObject({ run: z.array(line), says: line, ends: line }),
    time: z.strictObject({
      nodeStartSeconds: z.int().positive(),
      drainMinutes: z.number().nonnegative().optional(),
      together: z.literal(true).optional(),
      source,
      says: line,
    }),
  });
}
