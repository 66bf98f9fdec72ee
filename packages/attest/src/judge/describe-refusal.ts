import type { ComparedEvent } from '../reference/compare.ts';
import type { Judgement } from './judgement.ts';

const NAME_MOST = 120;
const LINE_MOST = 500;

/** describeRefusal says in one line why evidence was refused: the reason, and the first event that differs. "" for a pass. */
export function describeRefusal({ findings, compared }: Judgement): string {
  const [first] = findings;
  if (!first) return '';
  const different = compared.find(({ state }) => state !== 'same');
  const event = different === undefined ? '' : `; first difference: ${describeEvent(different)}`;
  return shown(`${first.reason}: ${first.message}${event}`, LINE_MOST);
}

function describeEvent({ pcr, state, what, expected, found }: ComparedEvent): string {
  const digests = [
    ...(expected === undefined ? [] : [`expected ${expected.slice(0, 16)}…`]),
    ...(found === undefined ? [] : [`found ${found.slice(0, 16)}…`]),
  ];
  return [`PCR ${pcr} ${shown(what, NAME_MOST)} is ${state}`, ...digests].join(', ');
}

/** A node names what it measured: anything may stand there. */
function shown(text: string, most: number): string {
  return text.replaceAll(/[^\x20-\x7e…]/g, '?').slice(0, most);
}
