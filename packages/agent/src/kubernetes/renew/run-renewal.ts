import { PlinthError } from '@plinth/base';
import { repeat, type Sleep } from '../../repeat.ts';
import type { StateStore } from '../../sys/state-store.ts';
import { type KnownCertificate, planRenewal } from './plan-renewal.ts';

/** "kubeadm certs renew all", and new starts of the static pods, which read some of their files only then. */
export const RENEW_UNIT = 'plinth-kubeadm-certs.service';
export const RESTART_UNIT = 'plinth-restart-control-plane.service';

const UNIT_MS = 5 * 60_000;
const EVERY_MS = 60 * 60_000;
const AT_MOST_MS = 6 * 60 * 60_000;
/** Says that certificates were renewed, or may be, and nothing was started anew since. */
const MARK = 'kubernetes/restart-due';

export interface RenewalParts {
  readonly nowMs: () => number;
  readonly store: StateStore;
  readCertificates(): Promise<readonly KnownCertificate[]>;
  /** Runs a oneshot unit from its beginning to its end; fails when the unit fails. */
  restartUnit(unit: string, timeoutMs: number): Promise<void>;
  /** Why the control plane must not be started anew now (judgeOwnLoss), undefined when it may. */
  whyNotNow(): Promise<string | undefined>;
}

/**
 * renewCertificates does one round: renews when one is due and starts the control plane anew; a round that was cut short
 * is ended by the next. Errors: kubernetes/certificates-not-renewed and those of its parts.
 * @returns paths of what was due
 */
export async function renewCertificates(parts: RenewalParts): Promise<readonly string[]> {
  const { store } = parts;
  const { due } = planRenewal(await parts.readCertificates(), parts.nowMs());
  const restartDue = (await store.read(MARK)) !== undefined;
  if (due.length === 0 && !restartDue) return [];
  const reason = await parts.whyNotNow();
  if (reason !== undefined) throw notRenewed(due, reason);
  await store.write(MARK, Buffer.from('\n'));
  if (due.length > 0) {
    await parts.restartUnit(RENEW_UNIT, UNIT_MS);
    const still = planRenewal(await parts.readCertificates(), parts.nowMs()).due;
    if (still.length > 0) throw notRenewed(still, `${RENEW_UNIT} left them as they were`);
  }
  await parts.restartUnit(RESTART_UNIT, UNIT_MS);
  await store.remove(MARK);
  return due;
}

export interface RenewalOptions {
  readonly signal: AbortSignal;
  readonly sleep?: Sleep;
  readonly onRenewed: (paths: readonly string[]) => void;
  /** Hears when a round fails, and (undefined) when one works again. */
  readonly onFailure: (reason: unknown) => void;
}

/** runRenewal looks once an hour until the signal aborts. It does not throw. */
export async function runRenewal(parts: RenewalParts, options: RenewalOptions): Promise<void> {
  await repeat(
    async () => {
      const renewed = await renewCertificates(parts);
      if (renewed.length > 0) options.onRenewed(renewed);
    },
    { everyMs: EVERY_MS, atMostMs: AT_MOST_MS, ...options },
  );
}

function notRenewed(paths: readonly string[], reason: string): PlinthError {
  const which = paths.length === 0 ? 'the control plane' : paths.join(', ');
  return new PlinthError(
    'kubernetes/certificates-not-renewed',
    `Cannot renew ${which}: ${reason}, expected certificates with more than 30 % of their life left, in use`,
  );
}
