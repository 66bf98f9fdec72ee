import { compareUapiVersions } from '@plinth/base';
import { decodeText } from '@plinth/formats';
import { ATTESTED_PCRS } from '../challenge.ts';
import { readMeasuredVariable } from '../log/describe-firmware-event.ts';
import type { MeasuredEvent } from '../log/measured-event.ts';
import { type ComparedEvent, compareEvents } from '../reference/compare.ts';
import { NEXT_ROOT } from '../reference/next-root.ts';
import type { Reference } from '../reference/reference.ts';
import { explainRegisters } from './explain-registers.ts';
import type { EvidenceParts, Exchange, Finding, Judgement, KnownNode, NodeFacts } from './judgement.ts';
import { readFacts } from './read-facts.ts';

/** Registers of the firmware that stay the same from boot to boot: its code, and option ROMs. */
export const FIRMWARE_PCRS: readonly number[] = [0, 2, 3];
const SECURE_BOOT_PCR = 7;
const MACHINE_PCR = 15;

export interface JudgeInputs {
  readonly evidence: EvidenceParts;
  readonly exchange: Exchange;
  readonly known: KnownNode;
  /** The releases that the node may run. */
  readonly references: readonly Reference[];
  /** Accept a release older than the newest one that the node passed with. */
  readonly olderAllowed?: boolean;
}

/** judgeEvidence decides whether a node booted what it should, now. It passes when there is no finding at all. */
export function judgeEvidence(inputs: JudgeInputs): Judgement {
  const { evidence, exchange, known, references } = inputs;
  const explained = explainRegisters(evidence, exchange, known.akPublic);
  if (!('events' in explained))
    return { verdict: 'fail', findings: explained, compared: [], notCompared: [] };
  const { events, registers, quote } = explained;
  const { reference, compared } = bestMatch(references, events);
  const facts = readFacts(evidence.facts);
  const findings = [
    ...explained.findings,
    ...judgeSecureBoot(events),
    ...(reference ? compared.flatMap(eventFinding) : [NO_REFERENCE]),
    ...(reference ? judgeVersion(reference, inputs) : []),
    ...judgeFirmware(registers, known),
    ...judgeFacts(facts, events, known, references),
  ];
  const comparedPcrs = new Set(reference?.registers.map(({ pcr }) => pcr));
  return {
    verdict: findings.length === 0 ? 'pass' : 'fail',
    findings,
    ...(reference && {
      release: { name: reference.name, version: reference.version, rootHash: reference.rootHash },
    }),
    compared,
    notCompared: ATTESTED_PCRS.filter((pcr) => !comparedPcrs.has(pcr) && !FIRMWARE_PCRS.includes(pcr)),
    ...(facts && { facts }),
    resetCount: quote.resetCount,
  };
}

const NO_REFERENCE: Finding = { reason: 'no-reference', message: 'nothing to compare the boot with' };

/** The release with the fewest differences; the newest of several that fit as well. */
function bestMatch(
  references: readonly Reference[],
  events: readonly MeasuredEvent[],
): { reference?: Reference; compared: readonly ComparedEvent[] } {
  const judged = references.map((reference) => {
    const compared = compareEvents(reference, events);
    return { reference, compared, differences: compared.filter(({ state }) => state !== 'same').length };
  });
  judged.sort(
    (a, b) => a.differences - b.differences || compareUapiVersions(b.reference.version, a.reference.version),
  );
  return judged[0] ?? { compared: [] };
}

function eventFinding({ pcr, state, what }: ComparedEvent): Finding[] {
  if (state === 'same') return [];
  const reason = state === 'missing' ? 'missing-event' : 'unknown-event';
  return [{ reason, message: `PCR ${pcr}: ${what}`, pcr }];
}

function judgeVersion({ version }: Reference, { known, olderAllowed }: JudgeInputs): Finding[] {
  if (olderAllowed || known.newestVersion === '') return [];
  if (compareUapiVersions(version, known.newestVersion) >= 0) return [];
  return [
    { reason: 'downgrade', message: `it runs ${version}, it passed with ${known.newestVersion} before` },
  ];
}

/** By the firmware's own event, whose content its digest proves. */
function judgeSecureBoot(events: readonly MeasuredEvent[]): Finding[] {
  for (const { pcr, content } of events) {
    if (pcr !== SECURE_BOOT_PCR || !content) continue;
    const variable = variableOf(content);
    if (variable?.name !== 'SecureBoot') continue;
    if (variable.data.length === 1 && variable.data[0] === 1) return [];
    return [{ reason: 'secure-boot-off', message: 'the firmware measured SecureBoot as off', pcr }];
  }
  const message = 'the firmware measured no SecureBoot variable';
  return [{ reason: 'secure-boot-off', message, pcr: SECURE_BOOT_PCR }];
}

function variableOf(content: Uint8Array) {
  try {
    return readMeasuredVariable(content);
  } catch {
    return undefined;
  }
}

function judgeFirmware(registers: ReadonlyMap<number, string>, { firmware }: KnownNode): Finding[] {
  return FIRMWARE_PCRS.filter((pcr) => registers.get(pcr) !== firmware.get(pcr)).map((pcr) => ({
    reason: 'firmware-changed',
    message: `PCR ${pcr} is not that of the enrolment`,
    pcr,
  }));
}

/** The ends of the texts with that beginning that were measured into the machine's register. */
function textsOf(events: readonly MeasuredEvent[], prefix: string): string[] {
  return events.flatMap(({ pcr, content }) => {
    const text = pcr === MACHINE_PCR && content ? decodeText(content) : '';
    return text.startsWith(prefix) ? [text.slice(prefix.length)] : [];
  });
}

function judgeFacts(
  facts: NodeFacts | undefined,
  events: readonly MeasuredEvent[],
  known: KnownNode,
  references: readonly Reference[],
): Finding[] {
  if (!facts) return [{ reason: 'malformed', message: 'what the node says of itself cannot be read' }];
  const findings: Finding[] = [];
  if (facts.nodeId !== known.nodeId) {
    findings.push({ reason: 'other-node', message: `it is ${facts.nodeId}, enrolled is ${known.nodeId}` });
  }
  // What was measured is what runs, or a release that is known and whose start was measured too.
  const roots = new Set(references.map(({ rootHash }) => rootHash));
  const strange = textsOf(events, NEXT_ROOT).filter((root) => !roots.has(root));
  for (const root of strange) {
    findings.push({
      reason: 'other-root',
      message: `a soft-reboot went to root ${root}, of no given release`,
    });
  }
  const measured = [facts.bootedRootHash, ...textsOf(events, NEXT_ROOT)].at(-1);
  if (facts.rootHash !== measured) {
    findings.push({ reason: 'other-root', message: `root ${facts.rootHash} runs, measured is ${measured}` });
  }
  return findings;
}
