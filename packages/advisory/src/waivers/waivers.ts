import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { Certificate, Signer } from '@plinth/trust';
import { z } from 'zod';
import { type Finding, normaliseId } from '../model/index.ts';
import type { Decision } from '../policy/index.ts';
import { appendSignedLine, readSignedLines, type SignedLines } from '../signed-lines/signed-lines.ts';

const PAYLOAD_TYPE = 'application/vnd.plinth.waiver+json';
const LONGEST_MS = 366 * 24 * 3_600_000;

const schema = z.strictObject({
  format: z.literal(1),
  id: z.string().min(1).max(300),
  /** Why the target need not be kept. */
  reason: z.string().min(10).max(2_000),
  /** Who takes the risk. */
  author: z.string().min(1).max(300),
  madeAt: z.iso.datetime(),
  until: z.iso.datetime(),
});

/** A person's signed word that a target need not be kept until a date. The finding stays open; only its clock is held. */
export type Waiver = z.infer<typeof schema>;

/** A waiver at an instant. An expired one no longer holds a clock, and is still told. */
export interface AppliedWaiver extends Waiver {
  readonly state: 'active' | 'expired';
}

export type WaivedDecision = Decision & { readonly waiver?: AppliedWaiver };

/**
 * newWaiver makes a waiver; it ends within a year. Pure.
 * @param until ISO 8601 instant, or a day, which then counts to its end in UTC
 * @throws advisory/waiver-invalid
 */
export function newWaiver(
  said: { readonly id: string; readonly reason: string; readonly author: string; readonly until: string },
  now: Date,
): Waiver {
  const id = normaliseId(said.id);
  if (id === undefined) throw invalid(said.id, 'it is no identifier', 'one as CVE-2026-35189');
  const until = new Date(
    /^\d{4}-\d{2}-\d{2}$/.test(said.until) ? `${said.until}T23:59:59Z` : said.until,
  ).getTime();
  if (Number.isNaN(until)) throw invalid(id, `its end is "${said.until}"`, 'a date as 2026-12-31');
  if (until <= now.getTime()) throw invalid(id, 'its end is past', 'one to come');
  if (until - now.getTime() > LONGEST_MS) throw invalid(id, 'it lasts more than a year', 'at most a year');
  const parsed = schema.safeParse({
    ...{ format: 1, id, reason: said.reason.trim(), author: said.author.trim() },
    ...{ madeAt: now.toISOString(), until: new Date(until).toISOString() },
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(
    id,
    `${issue?.path.join('.') ?? 'it'}: ${issue?.message ?? 'invalid'}`,
    'a reason and an author',
  );
}

/** addWaiver signs a waiver into a folder of the watch. @throws trust/signing-failed, host/io, host/disk-full */
export async function addWaiver(folder: string, waiver: Waiver, signer: Signer): Promise<void> {
  await appendSignedLine(waiversPath(folder), PAYLOAD_TYPE, waiver, signer);
}

/** readWaivers reads the waivers of a folder that a trusted key signed. @throws advisory/subject-invalid, host/io */
export async function readWaivers(
  folder: string,
  trusted: readonly Certificate[],
): Promise<SignedLines<Waiver>> {
  return await readSignedLines(waiversPath(folder), PAYLOAD_TYPE, schema, trusted);
}

/** currentWaivers gives the last waiver of each identifier, with its state at an instant; pure. */
export function currentWaivers(waivers: readonly Waiver[], now: Date): AppliedWaiver[] {
  const last = new Map<string, Waiver>();
  for (const waiver of waivers) {
    const known = last.get(waiver.id);
    if (!known || known.madeAt <= waiver.madeAt) last.set(waiver.id, waiver);
  }
  return [...last.values()]
    .map(
      (waiver): AppliedWaiver => ({
        ...waiver,
        state: Date.parse(waiver.until) > now.getTime() ? 'active' : 'expired',
      }),
    )
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** applyWaivers puts to each decision the waiver of its identifier or of another name of it; nothing is taken away. Pure. */
export function applyWaivers(
  decisions: readonly Decision[],
  findings: readonly Finding[],
  waivers: readonly AppliedWaiver[],
): WaivedDecision[] {
  const byId = new Map(waivers.map((waiver) => [waiver.id, waiver]));
  const names = new Map(
    findings.map(({ vulnerability: { id, aliases } }) => [id, [id, ...aliases]] as const),
  );
  return decisions.map((decision): WaivedDecision => {
    const found = (names.get(decision.id) ?? [decision.id]).flatMap((name) => byId.get(name) ?? []);
    // Of several names, one that still holds.
    const waiver = found.find(({ state }) => state === 'active') ?? found[0];
    return waiver && decision.clock ? { ...decision, waiver } : decision;
  });
}

/** isLate tells a clock that ran out and that no waiver holds. */
export function isLate({ clock, waiver }: WaivedDecision): boolean {
  return clock?.state === 'breached' && waiver?.state !== 'active';
}

function waiversPath(folder: string): string {
  return join(folder, 'waivers.jsonl');
}

function invalid(id: string, state: string, expected: string): PlinthError {
  return new PlinthError('advisory/waiver-invalid', `Cannot waive ${id}: ${state}, expected ${expected}`);
}
