import { refuse } from '../../documents/read-text.ts';
import {
  type IdState,
  schemeOf,
  type Verdict,
  type VexJustification,
  verdicts,
  vexJustifications,
} from '../../model/index.ts';

const STATES: readonly IdState[] = ['disputed', 'rejected', 'withdrawn'];

/** asJustification narrows a text to one of the five reasons of VEX. */
export function asJustification(text: string | undefined): VexJustification | undefined {
  return vexJustifications.find((known) => known === text);
}

/** asIdState narrows a text to what became of an identifier; "active" for any other. */
export function asIdState(text: string | undefined): IdState {
  return STATES.find((known) => known === text) ?? 'active';
}

/** asVerdict narrows a text to a verdict. */
export function asVerdict(text: string | undefined): Verdict | undefined {
  return verdicts.find((known) => known === text);
}

/** requireIds refuses a document in which a flaw has no name, or one that is none. @throws advisory/document-refused */
export function requireIds(ids: readonly string[], name: string): void {
  if (ids.length === 0 || ids.some((id) => schemeOf(id) === undefined))
    throw refuse(
      name,
      'a vulnerability has no identifier, or one of an unknown form',
      'CVE, GHSA or another',
    );
}
