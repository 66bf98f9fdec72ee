import { z } from 'zod';
import { machineActKinds } from './machine-act.ts';

/** An act that was to end a boot. */
export const askSchema = z.object({
  kind: z.enum(machineActKinds),
  askedBy: z.string(),
  reason: z.string(),
  askedAtMs: z.number(),
  overridden: z.string(),
});
export type Ask = z.infer<typeof askSchema>;

/** What can be seen of the end of the boot before this one. Undefined: it could not be looked at. */
export interface BootEndEvidence {
  /** This start is of a soft-reboot. */
  readonly soft?: boolean;
  readonly hadBootBefore: boolean | undefined;
  /** What was asked for over the API and had begun. */
  readonly ask: Ask | undefined;
  /** Crash records that appeared in this boot. */
  readonly crashRecords: readonly string[] | undefined;
  /** Whether the watchdog says that it started the machine; undefined where there is none. */
  readonly watchdog: boolean | undefined;
  /** Whether the file system of /var had been unmounted. */
  readonly varWasClean: boolean | undefined;
  /** What the last boot's journal says of its end; "" when nothing. */
  readonly lastWords: string;
}

export type BootEndKind =
  | 'first-boot'
  | 'reboot'
  | 'shutdown'
  | 'orderly'
  | 'kernel-panic'
  | 'watchdog'
  | 'abrupt'
  | 'unknown';

/** How the boot before this one ended. */
export interface BootEnd {
  readonly kind: BootEndKind;
  readonly ask: Ask | undefined;
  /** What tells so, for people. */
  readonly evidence: readonly string[];
}

/**
 * judgeBootEnd weighs the evidence; pure. What was asked for is a reason only when the system ended as asked: the file
 * system of /var was unmounted, which a system that dies cannot do. Words of the journal prove nothing, it stops before.
 */
export function judgeBootEnd(seen: BootEndEvidence): BootEnd {
  const { ask, crashRecords, watchdog, varWasClean, lastWords } = seen;
  const asked = ask
    ? [`a ${ask.kind} was asked for by ${ask.askedBy} at ${new Date(ask.askedAtMs).toISOString()}`]
    : [];
  const words = lastWords === '' ? [] : [`the last boot's journal ends with: ${lastWords}`];
  const end = (kind: BootEndKind, ...evidence: string[]): BootEnd => ({
    kind,
    ask,
    evidence: [...evidence, ...asked, ...words],
  });
  // What the kernel and the check of /var tell is of an earlier end.
  if (seen.soft) return end('reboot', 'user space ended for a soft-reboot; the kernel went on');
  // Before all else but a crash record: a boot that hung early leaves nothing on /var that would tell of it.
  const noRecords = crashRecords === undefined || crashRecords.length === 0;
  if (watchdog === true && noRecords)
    return end('watchdog', 'the watchdog reports that it started the machine');
  if (seen.hadBootBefore === false) return end('first-boot', 'nothing of an earlier boot is on /var');
  if (crashRecords !== undefined && crashRecords.length > 0)
    return end('kernel-panic', `crash records: ${crashRecords.join(', ')}`);
  if (varWasClean === false) return end('abrupt', '/var had not been unmounted');
  if (varWasClean === undefined)
    return end('unknown', 'the check of /var at the start of this boot was not seen');
  if (seen.hadBootBefore === undefined && !ask)
    return end('unknown', 'whether there was an earlier boot could not be seen');
  const unmounted = '/var had been unmounted';
  if (!ask) return end('orderly', unmounted);
  return end(ask.kind === 'shutdown' ? 'shutdown' : 'reboot', unmounted);
}

/**
 * parseVarCheck reads what e2fsck printed about /var in the initrd: "recovering journal" when it had not been unmounted,
 * "clean" when it had. Undefined when it says neither.
 */
export function parseVarCheck(text: string): boolean | undefined {
  if (/recovering journal|was not cleanly unmounted/.test(text)) return false;
  return /: clean, \d/.test(text) ? true : undefined;
}

/** parseWatchdog reads bootstatus of a watchdog (linux/watchdog.h): WDIOF_CARDRESET. Undefined when it is no number. */
export function parseWatchdog(text: string): boolean | undefined {
  const status = Number(text.trim());
  return Number.isInteger(status) && text.trim() !== '' ? (status & 0x20) !== 0 : undefined;
}
