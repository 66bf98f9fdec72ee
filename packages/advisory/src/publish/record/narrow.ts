import { type IdState, schemeOf, type Verdict, type VexJustification } from '../../model/index.ts';
import { refuse } from '../limits/read-text.ts';

const JUSTIFICATIONS: readonly VexJustification[] = [
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
];
const STATES: readonly IdState[] = ['disputed', 'rejected', 'withdrawn'];
const VERDICTS: readonly Verdict[] = ['open', 'fixed', 'not-affected', 'unknown'];

/** asJustification narrows a text to one of the five reasons of VEX. */
export function asJustification(text: string | undefined): VexJustification | undefined {
  return JUSTIFICATIONS.find((known) => known === text);
}

/** asIdState narrows a text to what became of an identifier; "active" for any other. */
export function asIdState(text: string | undefined): IdState {
  return STATES.find((known) => known === text) ?? 'active';
}

/** asVerdict narrows a text to a verdict. */
export function asVerdict(text: string | undefined): Verdict | undefined {
  return VERDICTS.find((known) => known === text);
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
