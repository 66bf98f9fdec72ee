import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import { FailureSchema } from '../gen/plinth/node/v1/kubernetes_pb.ts';
import { type Drain, MachineActState } from '../gen/plinth/node/v1/machine_pb.ts';
import { BootState, Verdict } from '../gen/plinth/node/v1/node_pb.ts';
import {
  FallBackSchema,
  GetUpdateResponseSchema,
  HealthContractState,
  StartChoice,
  SystemVersionSchema,
  UpdatePhase,
  type UpdateService,
  UpdateStageSchema,
} from '../gen/plinth/node/v1/update_pb.ts';
import type { FakeMachine } from './fake-machine.ts';
import { refusal } from './refusal.ts';

const NOW = timestampFromMs(1_800_000_000_000);
const TOTAL_BYTES = 400_000_000n;

/** What a fake node has on its disk. */
interface Version {
  readonly version: string;
  readonly slot: 'a' | 'b';
}

/**
 * FakeUpdate keeps the rules of UpdateService in memory: two slots, one staging at a time that goes on without a reader, a
 * version that must be staged before it is activated, and one that is blocked until it is named. A reboot of the fake machine
 * boots what is activated; each GetUpdate after it takes the trial one look further.
 */
export class FakeUpdate {
  booted: Version = { version: '1.0', slot: 'a' };
  staged: Version | undefined;
  rollback: Version | undefined;
  /** Versions of the channel, oldest first; empty: the repository does not answer. */
  offered = ['1.0', '1.1'];
  /** A version that the way to newer ones leads through. */
  barrier = '';
  /** Versions whose health contract never holds. */
  readonly sick = new Set<string>();
  /** Why staging fails half-way; empty when it does not. */
  stageFails = '';
  /** Why a version takes a full reboot; empty: a soft-reboot does. */
  startReasons: string[] = ['kernel 6.12.1 → 6.12.2'];
  /** The version that the firmware started, after a soft-reboot. */
  firmwareStarted = '';
  /** Versions that are not taken, with the code of the reason. */
  readonly blocked = new Map<string, string>();
  /** How each activation may end the system. */
  readonly starts: StartChoice[] = [];
  /** What StageUpdate was asked for. */
  readonly stageCalls: string[] = [];
  readonly #machine: FakeMachine;
  #stage: { version: string; phase: UpdatePhase; done: bigint } | undefined;
  #activated:
    | { readonly version: Version; readonly boot: number; readonly trial: boolean; readonly soft?: boolean }
    | undefined;
  #looks = 0;
  #contract: { version: string; state: HealthContractState } | undefined;
  #fallBack: { from: string; to: string } | undefined;

  constructor(machine: FakeMachine) {
    this.#machine = machine;
  }

  readonly service: Partial<ServiceImpl<typeof UpdateService>> = {
    getUpdate: () => {
      this.#live();
      return this.#message();
    },
    checkUpdate: () => {
      if (this.offered.length === 0) throw refusal('update/unreachable', 'no source answers');
      return { next: this.#choice() };
    },
    stageUpdate: async function* (this: FakeUpdate, { version }: { version: string }) {
      this.stageCalls.push(version);
      const named = version || this.#choice().version;
      const over = this.barrier !== '' && this.booted.version < this.barrier && this.barrier < named;
      const wanted = over ? this.barrier : named;
      if (wanted === '') {
        const [why] = this.#choice().reasons;
        throw refusal(why?.code ?? 'update/up-to-date', why?.message ?? 'there is none');
      }
      if (!this.offered.includes(wanted))
        throw refusal('update/not-in-channel', 'the channel has no such version');
      if (this.#stage?.phase === UpdatePhase.DOWNLOADING && this.#stage.version !== wanted)
        throw refusal('update/busy', `it stages ${this.#stage.version}`);
      this.blocked.delete(wanted);
      if (this.staged?.version !== wanted) {
        this.staged = undefined;
        this.#stage = { version: wanted, phase: UpdatePhase.DOWNLOADING, done: 0n };
        for (const part of [1n, 2n, 3n, 4n]) {
          this.#stage.done = (TOTAL_BYTES / 4n) * part;
          yield { stage: this.#stageMessage() };
          if (part === 2n && this.stageFails !== '') {
            this.#stage.phase = UpdatePhase.FAILED;
            throw refusal('update/unreachable', this.stageFails);
          }
        }
        this.#stage.phase = UpdatePhase.STAGED;
        this.staged = { version: wanted, slot: this.booted.slot === 'a' ? 'b' : 'a' };
        this.rollback = undefined;
      }
      yield { stage: this.#stageMessage() };
    }.bind(this),
    cancelUpdate: () => {
      const version = this.staged?.version ?? '';
      this.staged = undefined;
      this.#stage = undefined;
      return { version };
    },
    activateUpdate: ({ version, reason, override, drain, start }) => {
      const { staged } = this;
      if (!staged) throw refusal('update/nothing-staged', 'no version is staged');
      if (version !== '' && version !== staged.version)
        throw refusal('update/other-staged', `${staged.version} is staged`);
      const act = this.#reboot(reason, override, drain);
      this.starts.push(start);
      const soft = start === StartChoice.FASTEST && this.startReasons.length === 0;
      this.#activated = { version: staged, boot: this.#machine.boot, trial: true, soft };
      const reasons = start === StartChoice.FASTEST ? this.startReasons : ['a full reboot was asked for'];
      return { version: staged.version, act, startWay: { softReboot: soft, reasons: soft ? [] : reasons } };
    },
    rollBack: ({ reason, override, drain }) => {
      const { rollback, booted } = this;
      if (!rollback) throw refusal('update/no-rollback', 'the other slot holds no proven version');
      const act = this.#reboot(reason, override, drain);
      this.#activated = { version: rollback, boot: this.#machine.boot, trial: false };
      this.blocked.set(booted.version, 'update/rolled-back');
      return { fromVersion: booted.version, toVersion: rollback.version, act };
    },
    unblockVersion: ({ version }) => {
      if (!this.blocked.delete(version)) throw refusal('update/not-blocked', `${version} is not blocked`);
      return {};
    },
  };

  #reboot(reason: string, override: string, drain: Drain | undefined) {
    return this.#machine.reboot(reason, override, drain).act;
  }

  /** What has happened since it was last asked: the machine is in another boot, and the trial goes on. */
  #live(): void {
    const activated = this.#activated;
    // A node that drained nothing has ended its reboot when it is back.
    if (this.#machine.act?.state === MachineActState.RETURNING) this.#machine.advance();
    if (activated && this.#machine.boot !== activated.boot) {
      const before = this.booted;
      this.firmwareStarted = activated.soft ? before.version : '';
      this.booted = activated.version;
      this.staged = undefined;
      this.rollback = activated.trial ? before : undefined;
      this.#activated = undefined;
      this.#looks = 0;
      if (activated.trial)
        this.#contract = { version: this.booted.version, state: HealthContractState.RUNNING };
      return;
    }
    if (this.#contract?.state !== HealthContractState.RUNNING || ++this.#looks < 2) return;
    if (!this.sick.has(this.booted.version)) {
      this.#contract.state = HealthContractState.HELD;
      return;
    }
    this.#contract.state = HealthContractState.BROKEN;
    const from = this.booted;
    if (!this.rollback) return;
    this.booted = this.rollback;
    this.rollback = undefined;
    this.#machine.boot++;
    this.blocked.set(from.version, 'update/fell-back');
    this.#fallBack = { from: from.version, to: this.booted.version };
  }

  #phase(): UpdatePhase {
    if (this.#activated) return UpdatePhase.REBOOTING;
    if (this.#contract?.state === HealthContractState.RUNNING) return UpdatePhase.ASSESSING;
    if (this.#stage && !this.#contract) return this.#stage.phase;
    if (this.staged) return UpdatePhase.STAGED;
    if (this.#contract)
      return this.#contract.state === HealthContractState.HELD
        ? UpdatePhase.COMMITTED
        : UpdatePhase.ROLLED_BACK;
    return UpdatePhase.IDLE;
  }

  #choice() {
    const newest = this.offered.at(-1) ?? '';
    const blocked = this.blocked.get(newest);
    const next = newest !== '' && newest !== this.booted.version && blocked === undefined ? newest : '';
    const why = (code: string, message: string) => [{ code, message, hint: '' }];
    const reasons =
      next !== ''
        ? []
        : blocked !== undefined
          ? why('update/blocked-here', `${newest} is blocked on this node (${blocked})`)
          : why('update/up-to-date', `${newest} is the newest version and runs`);
    return { version: next, newest, reasons, checkedAt: NOW };
  }

  #stageMessage() {
    const { version, phase, done } = this.#stage ?? {
      version: '',
      phase: UpdatePhase.STAGED,
      done: TOTAL_BYTES,
    };
    return create(UpdateStageSchema, {
      ...{ version: version || (this.staged?.version ?? ''), phase, askedBy: 'someone', askedAt: NOW },
      ...{
        totalBytes: TOTAL_BYTES,
        doneBytes: done,
        fetchedBytes: done / 10n,
        copiedBytes: (done / 10n) * 9n,
      },
      savedBytes: (TOTAL_BYTES / 10n) * 9n,
      elapsed: { seconds: 3n },
      ...(phase === UpdatePhase.FAILED && {
        failure: { code: 'update/unreachable', message: `Cannot stage ${version}: ${this.stageFails}` },
      }),
    });
  }

  #message() {
    const on = ({ version, slot }: Version, state: BootState) =>
      create(SystemVersionSchema, { version, slot, state, rootHash: slot.repeat(64) });
    const trial = this.#contract?.state === HealthContractState.RUNNING;
    return create(GetUpdateResponseSchema, {
      phase: this.#phase(),
      booted: on(this.booted, trial ? BootState.TRIAL : BootState.GOOD),
      ...(this.staged && { staged: on(this.staged, BootState.UNSPECIFIED) }),
      ...(this.rollback && { rollback: on(this.rollback, BootState.GOOD) }),
      ...{ channel: 'stable', sources: ['https://updates.example/plinth'], next: this.#choice() },
      ...(this.#stage && { stage: this.#stageMessage() }),
      ...(this.staged && {
        startWay: { softReboot: this.startReasons.length === 0, reasons: this.startReasons },
      }),
      firmwareStarted: this.firmwareStarted,
      blocked: [...this.blocked].map(([version, code]) => ({
        version,
        reason: create(FailureSchema, { code, message: `${version} did not prove itself` }),
        since: NOW,
      })),
      ...(this.#fallBack && {
        lastFallBack: create(FallBackSchema, {
          ...{ fromVersion: this.#fallBack.from, toVersion: this.#fallBack.to, foundAt: NOW, tries: 3 },
          reason: {
            code: 'update/contract-broken',
            message: 'the check "containerd" did not pass in time',
            hint: 'Read the journal.',
          },
          boots: [{ bootId: 'boot-2', journal: ['containerd: it is broken'] }],
        }),
      }),
      ...(this.#contract && {
        contract: {
          ...this.#contract,
          bootId: `boot-${this.#machine.boot}`,
          deadline: { seconds: 600n },
          checks: [{ id: 'containerd', verdict: trial ? Verdict.UNKNOWN : Verdict.PASS, observed: 'active' }],
        },
      }),
      writeProtectedSlots: [this.booted.slot, ...(trial && this.rollback ? [this.rollback.slot] : [])],
    });
  }

  /** What GetSlots tells of the two slots. */
  slots() {
    const other = this.staged ?? this.rollback;
    const slot = ({ version, slot }: Version, role: string) => ({
      ...{ name: slot, version, role, booted: role === 'booted', writeProtected: role === 'booted' },
      ...{ health: role === 'staged' ? '' : 'proven', rootHash: slot.repeat(64) },
    });
    const slots = [
      slot(this.booted, 'booted'),
      ...(other ? [slot(other, this.staged ? 'staged' : 'rollback')] : []),
    ];
    return {
      slots: slots.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      espReadable: true,
      whyNoUpdate: this.#choice().reasons.map(({ message }) => message),
    };
  }
}
