import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, PlinthError } from '@plinth/base';
import { parseKeyValues } from '../../kernel/key-values.ts';
import { SYSTEMCTL } from '../../reports/versions.ts';
import type { Sys } from '../../sys/sys.ts';

export const JOURNALCTL = '/usr/bin/journalctl';

/** How a unit stands, in systemd's words (org.freedesktop.systemd1(5)). */
export interface UnitState {
  readonly load: string;
  readonly active: string;
  /** "success", or why it failed last time. */
  readonly result: string;
  readonly invocation: string;
  /** Its conditions allowed the last start. */
  readonly conditionsMet: boolean;
  /** A job is queued or runs. */
  readonly busy: boolean;
}

/** Units is what plinthd asks of the service manager: all privileged work is done by units of the verified system. */
export interface Units {
  state(unit: string): Promise<UnitState>;
  /**
   * Queues a job and waits for its end. A failure holds the last lines of the unit's journal.
   * @throws kubernetes/unit-failed, kubernetes/unit-timeout
   */
  run(verb: 'start' | 'restart' | 'stop', unit: string, options: RunUnitOptions): Promise<void>;
}

export interface RunUnitOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with how long it has taken. */
  readonly onWait?: (waitedMs: number) => void;
}

const POLL_MS = 1_000;
/** The service manager does not answer while it reloads its units, which takes long on a machine that is emulated or busy. */
const PATIENCE = { timeoutMs: 120_000 };
const PROPERTIES = 'LoadState,ActiveState,SubState,Result,ConditionResult,InvocationID,Job';
const MOVING = new Set(['activating', 'deactivating', 'reloading', 'refreshing']);
const JOURNAL_LINES = 12;
const JOURNAL_LIMIT = 1500;

/** systemdUnits asks the service manager of the machine. */
export function systemdUnits(sys: Pick<Sys, 'run' | 'nowMs'>, pollMs = POLL_MS): Units {
  async function state(unit: string): Promise<UnitState> {
    const { exitCode, stdout, stderr } = await sys.run(
      SYSTEMCTL,
      ['show', '--no-pager', `--property=${PROPERTIES}`, unit],
      PATIENCE,
    );
    if (exitCode !== 0)
      throw new PlinthError(
        'kubernetes/unit-failed',
        `Cannot look at ${unit}: systemctl ended with ${exitCode}: ${stderr.trim()}`,
      );
    const values = parseKeyValues(stdout);
    const active = values.get('ActiveState') ?? '';
    return {
      load: values.get('LoadState') ?? '',
      active,
      result: values.get('Result') ?? '',
      invocation: values.get('InvocationID') ?? '',
      conditionsMet: values.get('ConditionResult') !== 'no',
      busy: MOVING.has(active) || !['', '0'].includes(values.get('Job') ?? ''),
    };
  }

  async function run(
    verb: 'start' | 'restart' | 'stop',
    unit: string,
    { timeoutMs, signal, onWait }: RunUnitOptions,
  ): Promise<void> {
    // performance.now: the clock of the node may be set while it waits.
    const startedMs = performance.now();
    // A person called again: how often it failed before does not count. It fails for a unit that never ran.
    if (verb !== 'stop') await sys.run(SYSTEMCTL, ['reset-failed', unit], PATIENCE);
    const { exitCode, stderr } = await sys.run(SYSTEMCTL, [verb, '--no-block', unit], PATIENCE);
    if (exitCode !== 0) throw await failure(unit, `systemctl says: ${stderr.trim()}`);
    for (;;) {
      const now = await state(unit);
      if (!now.busy) {
        if (verb === 'stop' || now.active === 'active') return;
        // A oneshot that does not remain is inactive when it ended well, and also when it was never run.
        const endedWell = now.active === 'inactive' && now.result === 'success';
        if (endedWell && now.conditionsMet) return;
        throw await failure(
          unit,
          endedWell ? 'its conditions do not hold' : `${now.active} (${now.result})`,
          now,
        );
      }
      const waitedMs = performance.now() - startedMs;
      if (waitedMs > timeoutMs)
        throw await failure(
          unit,
          `${now.active} after ${Math.round(waitedMs / 1000)} s, expected it to end`,
          now,
          'kubernetes/unit-timeout',
        );
      onWait?.(waitedMs);
      await sleep(pollMs, undefined, signal ? { signal } : {});
    }
  }

  async function failure(
    unit: string,
    what: string,
    { invocation = '' }: Partial<UnitState> = {},
    code: ErrorCode = 'kubernetes/unit-failed',
  ): Promise<PlinthError> {
    const lines = invocation === '' ? '' : await lastWords(sys, invocation);
    return new PlinthError(
      code,
      `Cannot run ${unit}: ${what}${lines === '' ? '' : `; its last words: ${lines}`}`,
    );
  }

  return { state, run };
}

/** The end of the journal of one run of a unit, without what may be a secret; "" when it cannot be read. */
async function lastWords(sys: Pick<Sys, 'run'>, invocation: string): Promise<string> {
  const args = ['--no-pager', '--output=cat', `--lines=${JOURNAL_LINES}`];
  const { stdout } = await sys
    .run(JOURNALCTL, [...args, `_SYSTEMD_INVOCATION_ID=${invocation}`])
    .catch(() => ({ stdout: '' }));
  return withoutSecrets(stdout.trim()).slice(-JOURNAL_LIMIT);
}

/** withoutSecrets takes bootstrap tokens and certificate keys out of a text of kubeadm. */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g, '[token]')
    .replaceAll(/(?<!sha256:)\b[0-9a-f]{64}\b/g, '[key]');
}
