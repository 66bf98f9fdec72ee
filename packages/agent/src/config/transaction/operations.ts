import { PlinthError } from '@plinth/base';
import { type ConfigPlan, type MachineConfig, parseConfig, planConfig } from '@plinth/config';
import { readRevision } from './choose-config.ts';
import { hashOf } from './config-store.ts';
import { type ClusterOf, requireName } from './keep-name.ts';
import type { ClientReach, ConfigTransaction, Decision } from './open-transaction.ts';
import { type ConfigState, type Revision, revisionOf } from './state.ts';
import {
  type BootTime,
  begin,
  type Candidate,
  dropStaged,
  goBack,
  HEALTH_LIMIT_MS,
  prove,
  stage,
} from './transitions.ts';

/** How a client may ask for a config to take effect. */
export type AskedMode = 'auto' | 'staged' | 'try';

/** A plan, and what follows from it. */
export interface PlannedChange {
  readonly plan: ConfigPlan;
  readonly defaultMode: AskedMode;
  /** SHA-256 of the config it starts from. */
  readonly baseHash: string;
}

/** Who asks, and why. */
export interface Author {
  readonly name: string;
  readonly reason: string;
}

export interface ApplyOptions {
  /** Undefined: the one that fits the plan. */
  readonly mode: AskedMode | undefined;
  readonly confirmWithinMs: number;
  /** The config the client has planned from; undefined: whatever is in effect. */
  readonly baseHash?: string | undefined;
  readonly reach?: ClientReach | undefined;
}

/** What an apply began; undefined mode: nothing differs. */
export interface Applied {
  readonly revision: number;
  readonly mode: AskedMode | undefined;
}

/** What a rollback did. */
export interface RolledBack {
  /** Revision taken back or dropped; 0 when an earlier one became a new one. */
  readonly undone: number;
  readonly revision: number;
  readonly mode: AskedMode | undefined;
}

/** What clients may ask of the machine config. */
export interface ConfigOperations {
  /** @throws config/unknown-revision, config/unreadable */
  read(revision: number): Promise<{ readonly revision: Revision; readonly text: Buffer }>;
  /**
   * Compares; `to` is a text or a revision.
   * @throws config/invalid, config/too-large, config/unknown-revision, config/unreadable
   */
  plan(to: Uint8Array | number, from: number): Promise<PlannedChange>;
  /** @throws config/busy, config/plan-stale, config/needs-reboot, config/name-fixed, config/invalid, config/too-large, config/state-lost */
  apply(text: Uint8Array, author: Author, options: ApplyOptions): Promise<Applied>;
  /** @throws config/not-in-trial, config/busy */
  confirm(revision: number, author: Author): Promise<void>;
  /** @param revision 0: the open or staged one, else the one before @throws those of apply, config/no-earlier, config/not-in-trial */
  rollback(revision: number, author: Author, options: ApplyOptions): Promise<RolledBack>;
}

/** What may forbid a change. */
export interface ChangeLimits {
  /** Why nothing that is stored survives; undefined when it does. */
  readonly volatileBecause: string | undefined;
  readonly clusterOf: ClusterOf;
}

/** configOperations are the calls of ConfigService on a transaction. */
export function configOperations(
  transaction: ConfigTransaction,
  { volatileBecause, clusterOf }: ChangeLimits,
): ConfigOperations {
  const { parts } = transaction;
  const { store, sys } = parts;

  function decideApply(
    text: Uint8Array,
    next: MachineConfig,
    author: Author,
    options: ApplyOptions,
    failingBefore: readonly string[],
  ) {
    return async (boot: BootTime): Promise<Decision<Applied>> => {
      const state = transaction.state();
      refuseOpen(state);
      refuseStale(state, options.baseHash);
      const plan = planConfig(transaction.config(), next);
      if (plan.changes.length === 0) {
        const kept = dropStaged(state, 'the config in effect was applied again');
        const result = { revision: state.current, mode: undefined };
        return state.staged ? { next: kept, result } : { result };
      }
      const mode = options.mode ?? defaultMode(plan);
      refuseReboot(plan, mode);
      await requireName(transaction.config(), next, clusterOf);
      await store.putText(text);
      const candidate: Candidate = {
        hash: hashOf(text),
        sizeBytes: text.length,
        source: 'api',
        author: author.name,
        reason: author.reason,
        appliedAtMs: sys.nowMs(),
        failingBefore,
      };
      const result = { revision: state.nextRevision, mode };
      if (mode === 'staged') return { next: stage(state, candidate, boot), result };
      const withinMs = mode === 'try' ? options.confirmWithinMs : HEALTH_LIMIT_MS;
      return { next: begin(state, candidate, mode, boot, withinMs), config: next, result };
    };
  }

  async function apply(text: Uint8Array, author: Author, options: ApplyOptions): Promise<Applied> {
    if (volatileBecause !== undefined)
      throw new PlinthError(
        'config/state-lost',
        `Cannot apply the config: ${volatileBecause}, expected a disk`,
      );
    refuseOpen(transaction.state());
    const next = parseGiven(text);
    const failing = await transaction.failing();
    return transaction.decide(decideApply(text, next, author, options, failing), options.reach);
  }

  return {
    async read(number) {
      const state = transaction.state();
      const revision = revisionOf(state, number === 0 ? state.current : number);
      if (!revision) throw unknownRevision(number);
      return { revision, text: await store.readText(revision.hash) };
    },
    async plan(to, from) {
      const state = transaction.state();
      const base = revisionOf(state, from === 0 ? state.current : from);
      if (!base) throw unknownRevision(from);
      const before = from === 0 ? transaction.config() : await readRevision(store, state, from);
      const after = typeof to === 'number' ? await readRevision(store, state, to) : parseGiven(to);
      const plan = planConfig(before, after);
      return { plan, defaultMode: defaultMode(plan), baseHash: base.hash };
    },
    apply,
    confirm: (revision, author) =>
      transaction.decide(async () => {
        const state = transaction.state();
        if (state.trial?.revision !== revision)
          throw new PlinthError(
            'config/not-in-trial',
            `Cannot confirm revision ${revision}: ${state.trial ? `revision ${state.trial.revision}` : 'none'} is on trial, expected that one`,
          );
        if (!state.work.done)
          throw new PlinthError(
            'config/busy',
            `Cannot confirm revision ${revision}: the machine does not have it yet, expected it to`,
            { retryable: true },
          );
        return { next: prove(state, `confirmed by ${author.name}`), result: undefined };
      }),
    async rollback(number, author, options) {
      const state = transaction.state();
      if (number === 0 && (state.trial || state.staged))
        return transaction.decide(() => undo(transaction, author));
      const target = number === 0 ? earlier(state) : revisionOf(state, number);
      if (!target) throw number === 0 ? noEarlier() : unknownRevision(number);
      const reason = author.reason || `rollback to revision ${target.revision}`;
      const text = await store.readText(target.hash);
      const applied = await apply(text, { ...author, reason }, options);
      return { undone: 0, ...applied };
    },
  };
}

/** defaultMode is `try` for a change that can cut the node off, and for the others at once. */
export function defaultMode(plan: ConfigPlan): AskedMode {
  if (plan.effects.some(({ kind }) => kind === 'reboot')) return 'staged';
  return plan.touchesNetwork ? 'try' : 'auto';
}

async function undo(transaction: ConfigTransaction, { name }: Author): Promise<Decision<RolledBack>> {
  const state = transaction.state();
  const { trial, staged } = state;
  const why = `was rolled back by ${name}`;
  if (trial) {
    const config = await readRevision(transaction.parts.store, state, trial.previous);
    const result = { undone: trial.revision, revision: trial.previous, mode: undefined };
    return { next: goBack(state, why), config, result };
  }
  if (!staged)
    throw new PlinthError(
      'config/not-in-trial',
      `Cannot take the change back: it has ended with revision ${state.current} in effect, expected it on trial or staged`,
    );
  const result = { undone: staged.revision, revision: state.current, mode: undefined };
  return { next: dropStaged(state, why), result };
}

/** The last revision before the one in effect that proved itself and says something else. */
function earlier(state: ConfigState): Revision | undefined {
  const now = revisionOf(state, state.current);
  return state.history.findLast(
    ({ revision, outcome, hash }) => revision < state.current && outcome === 'good' && hash !== now?.hash,
  );
}

/** parseGiven reads a config that a client gave. @throws config/invalid, config/too-large with the first problem and its place */
export function parseGiven(text: Uint8Array): MachineConfig {
  const parsed = parseConfig(text, 'the config');
  if (parsed.ok) return parsed.value;
  const [first] = parsed.diagnostics;
  const more = parsed.diagnostics.length - 1;
  const where = first?.span ? ` at line ${first.span.line}, column ${first.span.column}` : '';
  throw new PlinthError(
    first?.code ?? 'config/invalid',
    `${first?.message ?? 'Cannot read the config'}${where}${more > 0 ? `, and ${more} more` : ''}`,
    first?.hint === undefined ? {} : { hint: first.hint },
  );
}

function refuseOpen({ trial }: ConfigState): void {
  if (!trial) return;
  const until = trial.until === 'confirmed' ? 'has to be confirmed' : 'has to reach health';
  throw new PlinthError(
    'config/busy',
    `Cannot change the config: revision ${trial.revision} is in effect and ${until}, expected no open change`,
    { retryable: true },
  );
}

function refuseStale(state: ConfigState, baseHash: string | undefined): void {
  const hash = revisionOf(state, state.current)?.hash;
  if (baseHash === undefined || baseHash === hash) return;
  throw new PlinthError(
    'config/plan-stale',
    `Cannot apply the config: revision ${state.current} is in effect now, expected the config of the plan`,
  );
}

function refuseReboot(plan: ConfigPlan, mode: AskedMode): void {
  const why = plan.effects.flatMap((each) => (each.kind === 'reboot' ? [each.why] : []));
  if (mode === 'staged' || why.length === 0) return;
  throw new PlinthError(
    'config/needs-reboot',
    `Cannot apply the config at once: ${why.join(', ')}, expected mode staged`,
  );
}

function unknownRevision(number: number): PlinthError {
  return new PlinthError(
    'config/unknown-revision',
    `Cannot find revision ${number}: the node does not remember it, expected one of its history`,
  );
}

function noEarlier(): PlinthError {
  return new PlinthError(
    'config/no-earlier',
    'Cannot go back: no earlier config has proven itself, expected one',
  );
}
