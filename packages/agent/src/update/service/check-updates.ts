import { PlinthError } from '@plinth/base';
import type { UpdatePolicy } from '@plinth/config';
import type { NodeConsole } from '../../console.ts';
import type { Sleep } from '../../repeat.ts';
import type { ChannelOffer, Stager, UpdateSource, UpdateStore } from '../types.ts';
import type { LastCheck } from './last-check.ts';
import { failure } from './messages.ts';
import { askNowAndThen } from './now-and-then.ts';

export interface CheckParts {
  readonly stager: Pick<Stager, 'checkUpdate' | 'readSlotDisk'>;
  readonly store: UpdateStore;
  readonly policy: () => UpdatePolicy | undefined;
  readonly nowMs: () => number;
}

/** sourceOf is where versions come from by a machine config. @throws update/no-policy */
export function sourceOf(policy: UpdatePolicy | undefined): UpdateSource {
  if (!policy)
    throw new PlinthError(
      'update/no-policy',
      'Cannot look for versions: the machine config names no source, expected a document of kind UpdatePolicy',
    );
  const { sources: addresses, channel, certificateAuthority: caPem } = policy;
  return { addresses, channel, ...(caPem !== undefined && { caPem }) };
}

/**
 * checkUpdates asks the repository what it offers and remembers the answer, or why there was none.
 * @throws update/no-policy, and what Stager.checkUpdate throws
 */
export async function checkUpdates({ stager, store, policy, nowMs }: CheckParts): Promise<LastCheck> {
  const source = sourceOf(policy());
  const booted = (await stager.readSlotDisk()).booted.version;
  try {
    const check = lastCheckOf(await stager.checkUpdate(source), {
      ...{ channel: source.channel, booted, checkedAtMs: nowMs() },
    });
    await store.change((state) => ({ ...state, lastCheck: check }));
    return check;
  } catch (reason) {
    const { code, message, hint } = PlinthError.from(
      reason,
      'update/unreachable',
      'Cannot ask the repository',
    );
    const why = { code, message: message.slice(0, 1000), hint };
    await store.change((state) => {
      const old = state.lastCheck;
      const same = old?.channel === source.channel && old.booted === booted ? old : undefined;
      const none = { channel: source.channel, booted, version: '', newest: '', reasons: [] };
      return { ...state, lastCheck: { ...(same ?? none), failure: why } };
    });
    throw reason;
  }
}

/** lastCheckOf is what is remembered of an offer; pure. */
function lastCheckOf(
  { newest, decision }: ChannelOffer,
  of: Pick<LastCheck, 'channel' | 'booted' | 'checkedAtMs'>,
): LastCheck {
  if (decision.kind === 'none') {
    const { code, message, hint } = decision;
    return { ...of, version: '', newest, reasons: [{ code, message, hint }] };
  }
  const reasons = decision.reasons.map(({ code = '', message }) => failure(code, message));
  return { ...of, version: decision.version, newest, reasons: reasons.slice(0, 20) };
}

/** keepChecking asks now and then, so that a node can say what comes next without being told to ask. Never throws. */
export function keepChecking(
  parts: CheckParts & { readonly console: NodeConsole },
  signal: AbortSignal,
  sleep?: Sleep,
): Promise<void> {
  const wanted = () => parts.policy() !== undefined;
  const ask = () => checkUpdates(parts);
  return askNowAndThen({ ask, wanted, console: parts.console, topic: 'update' }, signal, sleep);
}
