import { closest, PlinthError } from '@plinth/base';
import { daysBetween } from './dates.ts';
import type { Knowledge } from './load.ts';
import type { FactEntry, Source, SubjectFile } from './schema.ts';

/** A statement that holds at a date, with where it was read. */
export interface Fact extends Omit<FactEntry, 'source' | 'conflicts'> {
  readonly key: string;
  readonly source: Source;
  readonly conflicts: readonly Conflict[];
}

/** What another source says instead. */
export interface Conflict {
  readonly value: string;
  readonly source: Source;
  readonly note?: string | undefined;
}

/** factsAt is what holds of a subject at a date: for a platform where it differs, else wherever it runs. */
export function factsAt(
  knowledge: Pick<Knowledge, 'sources'>,
  subject: SubjectFile,
  asOf: string,
  platform?: string,
): ReadonlyMap<string, Fact> {
  const facts = new Map<string, Fact>();
  for (const [key, entries] of Object.entries(subject.facts)) {
    const found = entryAt(entries, asOf, platform);
    if (found) facts.set(key, withSources(knowledge, key, found));
  }
  return facts;
}

/** The statement that holds: of this platform before a general one, and the later one of two that overlap. */
function entryAt(entries: readonly FactEntry[], asOf: string, platform?: string): FactEntry | undefined {
  const holding = entries.filter((entry) => holdsAt(entry, asOf));
  const scoped = holding.filter(({ on }) => platform !== undefined && on?.includes(platform));
  const general = holding.filter(({ on }) => on === undefined);
  const best = scoped.length > 0 ? scoped : general;
  return best.toSorted((a, b) => (b.from ?? '').localeCompare(a.from ?? ''))[0];
}

/** holdsAt says whether a statement holds on a day: `from` is its first one, `until` the first one after it. */
export function holdsAt({ from, until }: Pick<FactEntry, 'from' | 'until'>, asOf: string): boolean {
  return (from === undefined || from <= asOf) && (until === undefined || asOf < until);
}

/** dependsOnPlatform says whether the value of a key can only be told for a platform. */
export function dependsOnPlatform(subject: SubjectFile, key: string, asOf: string): boolean {
  return (subject.facts[key] ?? []).some((entry) => entry.on !== undefined && holdsAt(entry, asOf));
}

function withSources({ sources }: Pick<Knowledge, 'sources'>, key: string, entry: FactEntry): Fact {
  const { source, conflicts, ...rest } = entry;
  return {
    ...rest,
    key,
    source: sourceOf(sources, source),
    conflicts: (conflicts ?? []).map(({ source: id, ...other }) => ({
      ...other,
      source: sourceOf(sources, id),
    })),
  };
}

function sourceOf(sources: Readonly<Record<string, Source>>, id: string): Source {
  const source = sources[id];
  // The schema lets no other id pass.
  if (!source) throw new PlinthError('internal/bug', `Cannot find source "${id}", expected it to be checked`);
  return source;
}

/** All statements about a subject at a date, those for single platforms too. */
export function allFactsAt(
  knowledge: Pick<Knowledge, 'sources'>,
  subject: SubjectFile,
  asOf: string,
): readonly Fact[] {
  return Object.entries(subject.facts).flatMap(([key, entries]) =>
    entries.filter((entry) => holdsAt(entry, asOf)).map((entry) => withSources(knowledge, key, entry)),
  );
}

/**
 * ageDays is how many days ago the text was written that a fact was read in: a copy is as old as it is, whenever it was
 * read. Undefined when the copy does not say of which day it is.
 */
export function ageDays({ source }: Pick<Fact, 'source'>, asOf: string): number | undefined {
  return source.undated ? undefined : daysBetween(source.copy ?? source.read, asOf);
}

/** A fact older than this must be read again. */
export const STALE_AFTER_DAYS = 180;

/** isStale says whether a fact must be read again: it is old, or nobody can tell how old. */
export function isStale(fact: Pick<Fact, 'source'>, asOf: string): boolean {
  const age = ageDays(fact, asOf);
  return age === undefined || age > STALE_AFTER_DAYS;
}

/**
 * findSubject is a system (or platform) by its id.
 * @throws advisor/unknown-system
 */
export function findSubject(subjects: readonly SubjectFile[], id: string): SubjectFile {
  const found = subjects.find((subject) => subject.id === id);
  if (found) return found;
  const ids = subjects.map((subject) => subject.id);
  const meant = closest(id, ids);
  throw new PlinthError(
    'advisor/unknown-system',
    `Cannot find facts about "${id}": it is not among the systems, expected one of ${ids.join(', ')}`,
    meant === undefined ? {} : { hint: `Did you mean ${meant}?` },
  );
}
