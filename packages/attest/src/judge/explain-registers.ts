import { PlinthError } from '@plinth/base';
import { hex } from '@plinth/formats';
import { ATTESTED_PCRS, extraDataOf, pcrDigestOf } from '../challenge.ts';
import type { MeasuredEvent } from '../log/measured-event.ts';
import { readFirmwareLog } from '../log/read-firmware-log.ts';
import { readSystemLog } from '../log/read-system-log.ts';
import { type Registers, replayLogs } from '../log/replay.ts';
import { isAttestationKey, readPublicArea } from '../tpm/public-area.ts';
import { isSignedBy, type Quote, readQuote } from '../tpm/quote.ts';
import type { EvidenceParts, Exchange, Finding } from './judgement.ts';

/** Registers that a TPM vouches for, and the events that explain them. */
export interface Explained {
  readonly findings: readonly Finding[];
  readonly registers: Registers;
  readonly events: readonly MeasuredEvent[];
  readonly quote: Quote;
}

/** An answer that comes later than so long after its nonce says nothing of now. */
export const FRESH_MS = 30_000;

/**
 * explainRegisters checks that a quote is of that key, of now and of this connection, and that the logs lead to it. It does
 * not judge the events. Evidence that cannot be read at all has one finding, and nothing else.
 */
export function explainRegisters(
  evidence: EvidenceParts,
  exchange: Exchange,
  akPublic: Uint8Array,
): Explained | readonly Finding[] {
  try {
    return explain(evidence, exchange, akPublic);
  } catch (reason) {
    if (!(reason instanceof PlinthError)) throw reason;
    return [{ reason: 'malformed', message: reason.message }];
  }
}

function explain(evidence: EvidenceParts, exchange: Exchange, akPublic: Uint8Array): Explained {
  const quote = readQuote(evidence.quoted);
  const values = new Map(evidence.registers.map(({ index, sha256 }) => [index, hex(sha256)]));
  const { events: firmware, startupLocality } = readFirmwareLog(evidence.firmwareLog);
  const events = [...firmware, ...readSystemLog(evidence.systemLog)];
  const findings = [
    ...judgeKey(evidence, akPublic),
    ...judgeChallenge(quote, evidence, exchange),
    ...judgeDigest(quote, evidence),
    ...judgeReplay(values, replayLogs(events, startupLocality)),
  ];
  return { findings, registers: values, events, quote };
}

function judgeKey({ akPublic: shown, quoted, signature }: EvidenceParts, akPublic: Uint8Array): Finding[] {
  const area = readPublicArea(akPublic);
  if (hex(shown) !== hex(akPublic)) {
    const message = `it shows key ${shortName(readPublicArea(shown).name)}, enrolled is ${shortName(area.name)}`;
    return [{ reason: 'other-machine', message }];
  }
  if (!isAttestationKey(area)) {
    return [{ reason: 'bad-signature', message: 'the enrolled key is not restricted to quotes' }];
  }
  if (isSignedBy(area, quoted, signature)) return [];
  return [{ reason: 'bad-signature', message: 'the signature over the quote does not fit' }];
}

function judgeChallenge(quote: Quote, { facts }: EvidenceParts, exchange: Exchange): Finding[] {
  const findings: Finding[] = [];
  if (hex(quote.extraData) !== hex(extraDataOf({ ...exchange, facts }))) {
    const message = 'the nonce, the TLS session and the facts do not give what the TPM signed along';
    findings.push({ reason: 'not-for-this-challenge', message });
  }
  const tookMs = exchange.answeredAtMs - exchange.askedAtMs;
  if (tookMs < 0 || tookMs > FRESH_MS) {
    const message = `it took ${Math.round(tookMs / 1000)} s, expected at most ${FRESH_MS / 1000} s`;
    findings.push({ reason: 'stale', message });
  }
  return findings;
}

function judgeDigest(quote: Quote, { registers }: EvidenceParts): Finding[] {
  const indices = registers.map(({ index }) => index);
  const wanted = ATTESTED_PCRS.join(',');
  if (quote.pcrs.join(',') !== wanted || indices.join(',') !== wanted) {
    const message = `the quote is of PCR ${quote.pcrs.join(', ')}, expected ${ATTESTED_PCRS.join(', ')}`;
    return [{ reason: 'other-registers', message }];
  }
  if (hex(pcrDigestOf(registers.map(({ sha256 }) => sha256))) === hex(quote.pcrDigest)) return [];
  return [{ reason: 'other-registers', message: 'the values do not have the digest that the TPM signed' }];
}

function judgeReplay(values: Registers, replayed: Registers): Finding[] {
  return ATTESTED_PCRS.filter((pcr) => values.get(pcr) !== replayed.get(pcr)).map((pcr) => ({
    reason: 'log-edited',
    message: `PCR ${pcr} is ${short(values.get(pcr))}, the logs lead to ${short(replayed.get(pcr))}`,
    pcr,
  }));
}

function short(value: string | undefined): string {
  return value === undefined ? 'not there' : `${value.slice(0, 12)}…`;
}

function shortName(name: Uint8Array): string {
  return hex(name).slice(4, 20);
}
