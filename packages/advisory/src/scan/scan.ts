import { join } from 'node:path';
import type { Progress } from '@plinth/base';
import { findMirrors, type Keyring, type MirrorOptions } from '@plinth/debian';
import { stateDir } from '@plinth/host';
import { architecturesOf } from '../changelog/index.ts';
import {
  evaluatePredicate,
  explainCompiledKernel,
  type ProgramFacts,
  proposeKernelPredicates,
  type VexStatement,
} from '../evidence/index.ts';
import { poolFetch } from '../feeds/fetch-changelog.ts';
import { HALF_DAY_MS, readChangelogs, refreshIndexes, suitesFor } from '../feeds/refresh.ts';
import { readSubject } from '../inventory/index.ts';
import { applyRules, conclude, type EvidenceRules } from '../judge/index.ts';
import type { CheckedStatement, Inventory, ScanReport } from '../model/index.ts';
import { type AdvisoryStore, openAdvisoryStore } from '../store/index.ts';
import { collectKnowledge, factsOf, neededOffers } from './collect-knowledge.ts';
import { readProgramFacts } from './read-program-facts.ts';

export interface ScanOptions {
  /** Database of the feeds, see openAdvisoryStore. Default: advisoryStorePath. */
  readonly storePath?: string;
  /** Use what is here and fetch nothing. */
  readonly offline?: boolean;
  /** Fetch indexes anew however young they are. */
  readonly refresh?: boolean;
  /** Also tell what is fixed, by entries of the last two years. */
  readonly all?: boolean;
  /** Statements of people about what is not affected, see readStatements. */
  readonly statements?: readonly VexStatement[];
  readonly mirrors?: MirrorOptions;
  /** Keys that indexes are believed by. Default: readScanKeyring. */
  readonly keyring?: Keyring | undefined;
  readonly now?: Date;
  readonly progress?: Progress;
  readonly signal?: AbortSignal | undefined;
}

const TWO_YEARS_MS = 2 * 365 * 24 * 3600 * 1000;

/**
 * advisoryStorePath is where the feeds are kept: where PLINTH_ADVISORY_STORE says, a team's PostgreSQL for instance, else
 * below the state directory, as what was seen when cannot be made again.
 */
export function advisoryStorePath(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const named = env['PLINTH_ADVISORY_STORE'];
  return named ? named : join(stateDir(env), 'advisory', 'feeds.sqlite');
}

/**
 * scan tells what is open in a release, lock, Debian root or SBOM: reads it, brings the feeds up to date as far as
 * they can be reached, and judges. Feeds that cannot be had are in the report, not errors.
 * @throws advisory/subject-unknown, advisory/subject-invalid, advisory/store-failed, host/io, cli/interrupted
 */
export async function scan(path: string, options: ScanOptions = {}): Promise<ScanReport> {
  const inventory = await readSubject(path);
  const store = await openAdvisoryStore(options.storePath ?? advisoryStorePath());
  try {
    return await scanInventory(inventory, store, options);
  } finally {
    await store.close();
  }
}

/** scanInventory judges an inventory by the feeds of a store, see scan. */
export async function scanInventory(
  inventory: Inventory,
  store: AdvisoryStore,
  options: Omit<ScanOptions, 'storePath'> = {},
): Promise<ScanReport> {
  const now = options.now ?? new Date();
  const all = options.all ?? false;
  const { progress, signal } = options;
  const shared = { ...(progress ? { progress } : {}), signal };
  let failures: ReadonlyMap<string, string> = new Map();
  if (options.offline !== true) {
    const mirrors = await findMirrors(options.mirrors);
    const maxAgeMs = options.refresh ? -1 : HALF_DAY_MS;
    failures = await refreshIndexes(store, suitesFor(inventory.subject.codename), {
      mirrors,
      now,
      maxAgeMs,
      ...(options.keyring ? { keyring: options.keyring } : {}),
      ...shared,
    });
    await readChangelogs(
      store,
      (await neededOffers(store, inventory, all)).changelogs,
      poolFetch(mirrors),
      shared,
    );
  }
  const needed = await neededOffers(store, inventory, all);
  const knowledge = await collectKnowledge(store, inventory, needed, now, failures);
  const statements = [...(options.statements ?? []), ...(inventory.statements ?? [])];
  const programs = await readProgramFacts(inventory, knowledge.claims, statements);
  const judging = {
    ...{ now, statements, evidence: evidenceRules(programs, inventory.statements ?? []) },
    ...(all ? { fixedWithinMs: TWO_YEARS_MS } : {}),
  };
  const said = applyRules(inventory, knowledge, judging);
  return conclude(said, await factsOf(store, said.ids, now));
}

/**
 * What the image can be asked. What its papers cannot answer, as they have no programs, its build was asked, and the answer is
 * among the papers; a person's judgement ends whatever the build said.
 */
function evidenceRules(
  programs: ProgramFacts | undefined,
  checked: readonly CheckedStatement[],
): EvidenceRules {
  const answers = new Map(checked.map(({ predicate, outcome }) => [JSON.stringify(predicate), outcome]));
  return {
    evaluate: (predicate, inventory, now) => {
      const outcome = evaluatePredicate(predicate, inventory, now, programs);
      const answer = answers.get(JSON.stringify(predicate));
      if (outcome.holds !== 'unknown' || answer === undefined || predicate.kind === 'human') return outcome;
      return { ...answer, detail: `${answer.detail} (asked when the image was built)` };
    },
    proposeKernel: proposeKernelPredicates,
    compiledKernel: explainCompiledKernel,
    architecturesOf,
  };
}
