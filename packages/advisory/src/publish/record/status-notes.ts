import type { AdvisoryRecord, RecordStatus } from '../../model/index.ts';
import type { Fact, FactComponent } from './facts.ts';
import { asIdState, asJustification } from './narrow.ts';

/** What formats without a field for it say in lines of a note: one fact a line, the author's own words last. */
export interface StatusNotes
  extends Pick<Fact, 'advisory' | 'state' | 'justification' | 'fixedIn' | 'withdrawnAt'> {
  component(purl: string): FactComponent;
}

/** statusNotes writes the lines. */
export function statusNotes(record: AdvisoryRecord, status: RecordStatus): string {
  const { vulnerability, withdrawn } = record;
  const { justification, fixedInProduct, components, reason } = status;
  return [
    ...(record.id === '' ? [] : [`Advisory: ${record.id}`]),
    ...(vulnerability.state === 'active' ? [] : [`State: ${vulnerability.state}`]),
    ...(withdrawn ? [`Withdrawn: ${withdrawn.at}`] : []),
    ...(justification === undefined ? [] : [`Justification: ${justification}`]),
    ...(fixedInProduct === undefined ? [] : [`Update to: ${fixedInProduct}`]),
    ...components.flatMap(({ purl, fixVersion }) =>
      fixVersion === undefined ? [] : [`Fix: ${purl} ${fixVersion}`],
    ),
    `Reason: ${reason}`,
  ].join('\n');
}

/** readStatusNotes reads them back; what follows "Reason:" is anybody's words and says nothing here. */
export function readStatusNotes(text: string): StatusNotes {
  const own = text.split(/(?:^|\n)Reason: /, 1)[0] ?? '';
  const values = new Map<string, string>();
  const fixes = new Map<string, string>();
  for (const line of own.split('\n')) {
    const [, key = '', value = ''] = /^([A-Z][a-z ]+): (.*)$/.exec(line) ?? [];
    const [purl = '', version] = value.split(' ');
    if (key === 'Fix' && version !== undefined) fixes.set(purl, version);
    else if (key !== '') values.set(key, value);
  }
  const justification = asJustification(values.get('Justification'));
  const fixedIn = values.get('Update to');
  const withdrawnAt = values.get('Withdrawn');
  return {
    advisory: values.get('Advisory') ?? '',
    state: asIdState(values.get('State')),
    ...(justification && { justification }),
    ...(fixedIn !== undefined && { fixedIn }),
    ...(withdrawnAt !== undefined && { withdrawnAt }),
    component(purl) {
      const fixVersion = fixes.get(purl);
      return { purl, ...(fixVersion !== undefined && { fixVersion }) };
    },
  };
}

/** notesFact is the fact that notes and what the format has fields for say together. */
export function notesFact(
  notes: StatusNotes,
  rest: Pick<Fact, 'id' | 'aliases' | 'product' | 'verdict'> & { readonly purls: readonly string[] },
): Fact {
  const { component, ...own } = notes;
  const { purls, ...fields } = rest;
  return { ...own, ...fields, components: purls.map(component) };
}
