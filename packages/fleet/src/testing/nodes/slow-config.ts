import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigEffectKind, ConfigMode, ConfigOutcome } from '@plinth/api';
import { type NodeMethods, refusal } from '@plinth/api/testing';

interface Revision {
  readonly revision: number;
  readonly text: string;
  readonly reason: string;
  outcome: ConfigOutcome;
  note: string;
}

export interface SlowConfigParts {
  /** How long a config is on trial. */
  readonly trialMs: () => number;
  /** Whether the node reaches health with what is on trial. */
  readonly isHealthy: () => boolean;
}

/** The documents of this kind take a reboot. */
const BY_REBOOT = 'kind: Volume';

/**
 * SlowConfig is the machine config of a node that takes its time, by the rules of packages/agent/src/config: revisions that are never used
 * twice, one in effect, a trial, what waits for the next boot, and the way back.
 */
export class SlowConfig {
  readonly #parts: SlowConfigParts;
  readonly #history: Revision[] = [
    { revision: 1, text: '', reason: 'provisioning', outcome: ConfigOutcome.GOOD, note: '' },
  ];
  #current = 1;
  #previous = 1;
  #isOnTrial = false;
  #staged = 0;

  constructor(parts: SlowConfigParts) {
    this.#parts = parts;
  }

  /** The documents in effect. */
  get text(): string {
    return this.#of(this.#current)?.text ?? '';
  }

  /** Reasons of all revisions, oldest first. */
  get reasons(): readonly string[] {
    return this.#history.map(({ reason }) => reason);
  }

  readonly methods: NodeMethods = {
    getConfigStatus: () => ({
      current: this.#message(this.#current),
      settled: true,
      stagedRevision: this.#staged,
      ...(this.#isOnTrial && {
        trial: { revision: this.#current, previousRevision: this.#previous, needsConfirmation: false },
      }),
    }),
    listConfigHistory: () => ({
      revisions: this.#history.map(({ revision }) => this.#message(revision)).reverse(),
    }),
    planDocuments: ({ documents }: { documents: Uint8Array }) => {
      const text = Buffer.from(documents).toString();
      const kind = text.includes(BY_REBOOT) ? ConfigEffectKind.REBOOT : ConfigEffectKind.RESTART;
      const differs = text !== this.text;
      return {
        plan: differs ? { changes: [{ kind: 'Sysctls', path: 'sysctls' }], effects: [{ kind }] } : {},
        staged: this.#of(this.#staged)?.text === text,
      };
    },
    applyDocuments: (request: { documents: Uint8Array; mode: ConfigMode; reason: string }) => {
      this.#refuseOpen();
      const text = Buffer.from(request.documents).toString();
      if (text === this.text) return { revision: this.#current, unchanged: true };
      if (this.#of(this.#staged)?.text === text) return { revision: this.#staged, unchanged: true };
      if (text.includes(BY_REBOOT) && request.mode !== ConfigMode.STAGED)
        throw refusal('config/needs-reboot', 'a mount keeps its options');
      return { revision: this.#put(text, request.reason, request.mode) };
    },
    rollbackConfig: (request: { revision: number; mode: ConfigMode; reason: string }) => {
      this.#refuseOpen();
      const text = this.#of(request.revision)?.text;
      if (text === undefined) throw refusal('config/unknown-revision', 'there is none');
      return { revision: this.#put(text, request.reason, request.mode) };
    },
  };

  /** Another boot begins: what is staged takes effect, what is on trial goes back. */
  boot(): void {
    if (this.#isOnTrial) this.#revert('did not reach health before the machine restarted');
    const staged = this.#staged;
    this.#staged = 0;
    if (staged !== 0) void this.#begin(staged);
  }

  #put(text: string, reason: string, mode: ConfigMode): number {
    const revision = this.#history.length + 1;
    const outcome = mode === ConfigMode.STAGED ? ConfigOutcome.STAGED : ConfigOutcome.SETTLING;
    this.#history.push({ revision, text, reason, outcome, note: '' });
    if (mode === ConfigMode.STAGED) this.#staged = revision;
    else void this.#begin(revision);
    return revision;
  }

  async #begin(revision: number): Promise<void> {
    this.#previous = this.#current;
    this.#current = revision;
    this.#isOnTrial = true;
    this.#set(revision, ConfigOutcome.SETTLING, '');
    await sleep(this.#parts.trialMs(), undefined, { ref: false });
    if (!this.#isOnTrial || this.#current !== revision) return;
    if (!this.#parts.isHealthy()) this.#revert('did not reach health in time');
    else {
      this.#isOnTrial = false;
      this.#set(revision, ConfigOutcome.GOOD, '');
    }
  }

  #revert(note: string): void {
    this.#set(this.#current, ConfigOutcome.REVERTED, note);
    this.#current = this.#previous;
    this.#isOnTrial = false;
  }

  #refuseOpen(): void {
    if (this.#isOnTrial) throw refusal('config/busy', 'a revision has to reach health');
  }

  #of(revision: number): Revision | undefined {
    return this.#history[revision - 1];
  }

  #set(revision: number, outcome: ConfigOutcome, note: string): void {
    const found = this.#of(revision);
    if (found) Object.assign(found, { outcome, note });
  }

  #message(revision: number) {
    const { text: _text, ...rest } = this.#of(revision) ?? { text: '', revision };
    return { ...rest, current: revision === this.#current };
  }
}
