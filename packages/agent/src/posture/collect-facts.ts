import { FactState } from '@plinth/api';
import { inParallel } from '../in-parallel.ts';
import { isMissing, type Sys } from '../sys/sys.ts';
import { whyNot } from '../system/observing.ts';
import { type ClusterFacts, type FactReader, factReaders, type Reading } from './fact-readers.ts';

/** Longest value that is told; kernel command lines and names of accounts stay far below. */
const VALUE_LIMIT_CHARS = 500;
const AT_ONCE = 8;

/** A fact of the contract. */
export interface ToldFact {
  readonly name: string;
  readonly state: FactState;
  readonly value?: string;
  readonly source?: string;
  readonly reason?: string;
}

/** collectFacts reads the named facts, in their order. Never throws: what cannot be read is UNKNOWN with the reason. */
export async function collectFacts(
  sys: Sys,
  names: readonly string[],
  cluster: ClusterFacts,
): Promise<readonly ToldFact[]> {
  const units = names.filter((name) => name.startsWith('unit/')).map((name) => name.slice('unit/'.length));
  const readers = factReaders(sys, units, cluster);
  return inParallel(names, AT_ONCE, async (name): Promise<ToldFact> => {
    const slash = name.indexOf('/');
    const reader = readers.get(name.slice(0, slash));
    const rest = name.slice(slash + 1);
    if (!reader || slash < 1 || (rest === '' && reader.rooted !== true))
      return { name, state: FactState.UNKNOWN, reason: 'this node knows no such fact' };
    return { name, ...(await read(reader, rest)) };
  });
}

async function read(reader: FactReader, name: string): Promise<Omit<ToldFact, 'name'>> {
  const source = reader.source(name);
  if (source === undefined) return { state: FactState.UNKNOWN, reason: 'a fact of that name is not told' };
  const told = await reader.read(name).catch((reason: unknown): Reading => {
    // A source that is one fact alone tells by its absence; one that holds many has then told nothing.
    if (reader.alone && isMissing(reason)) return { absent: true };
    return { unknown: whyNot(reason) };
  });
  if ('absent' in told) return { state: FactState.ABSENT, source };
  if ('unknown' in told) return { state: FactState.UNKNOWN, source, reason: told.unknown };
  return { state: FactState.PRESENT, source, value: told.value.slice(0, VALUE_LIMIT_CHARS) };
}
