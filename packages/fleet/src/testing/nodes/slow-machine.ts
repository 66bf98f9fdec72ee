import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ActKind,
  ActState,
  type GetUpdateResponse,
  HealthContractState,
  type StartAuthorization,
  UpdatePhase,
} from '@plinth/api';
import { type NodeMethods, refusal } from '@plinth/api/testing';
import { SlowConfig } from './slow-config.ts';

/** A release as a machine sees it. */
export interface SlowSystem {
  readonly version: string;
  readonly rootHash: string;
}

export interface SlowMachineTimes {
  readonly stageMs: number;
  /** From the call to the end of the boot. */
  readonly endMs: number;
  /** From the end of a boot until plinthd answers in the next. */
  readonly bootMs: number;
  /** How long a system, or a config, is on trial. */
  readonly trialMs: number;
  /** How long Kubernetes is switched; absent: as long as staging. */
  readonly upgradeMs?: number;
}

/** How it takes a release. */
export type SlowCharacter = 'good' | 'falls-back' | 'never-back' | 'config-fails' | 'upgrade-fails';

export interface SlowMachineParts {
  readonly name: string;
  readonly systems: ReadonlyMap<string, SlowSystem>;
  readonly first: SlowSystem;
  readonly kubernetesVersion: string;
  /** Serial of the hot layer in its repository. */
  readonly newestHotLayer?: number;
  /** Layers it has besides. */
  readonly layers?: readonly string[];
  readonly times: SlowMachineTimes;
  /** Told when a boot ends, when the next one answers, and when the kubelet is another. */
  changed(machine: SlowMachine): void;
  /** Told when it is about to end its boot because somebody was let. */
  started?(reboot: Reboot): void;
}

/** One reboot, for whoever counts them. */
export interface Reboot {
  readonly node: string;
  readonly fromBootId: string;
  /** Of the boot that follows. */
  readonly bootId: string;
  readonly rootHash: string;
  readonly nonce: string;
}

/**
 * SlowMachine is a node that takes its time: plinthd's calls that the operator makes, by the rules of the real one (packages/agent/src/machine/
 * start-authorization.ts), two slots, a trial, and a way back. What is shown at the API server of Kubernetes is the fake kubelet's.
 */
export class SlowMachine {
  readonly name: string;
  readonly reboots: Reboot[] = [];
  isUp = true;
  bootId: string = randomUUID();
  character: SlowCharacter = 'good';
  booted: SlowSystem;
  staged: SlowSystem | undefined;
  rollback: SlowSystem | undefined;
  kubernetes: string;
  /** Serial of the hot layer that is merged; 0: none. */
  hotLayer = 0;
  #hotFetched = 0;
  readonly config: SlowConfig;
  /** Each method that was called, by its name. */
  readonly called = new Set<string>();
  #act: { state: ActState; startedAtMs: number } | undefined;
  readonly #parts: SlowMachineParts;
  #phase: UpdatePhase = UpdatePhase.IDLE;
  #contract: { bootId: string; state: HealthContractState } | undefined;
  #fallBack: { from: string; to: string } | undefined;
  #blocked: string[] = [];
  #staging: { version: string; done: Promise<void> } | undefined;

  constructor(parts: SlowMachineParts) {
    this.name = parts.name;
    this.booted = parts.first;
    this.#parts = parts;
    this.kubernetes = parts.kubernetesVersion.replace(/^v/, '');
    this.config = new SlowConfig({
      trialMs: () => parts.times.trialMs,
      isHealthy: () => this.character !== 'config-fails',
    });
  }

  /** What it answers with, and writes down that it was asked. */
  get methods(): NodeMethods {
    const all = { ...this.#methods, ...this.config.methods };
    return Object.fromEntries(
      Object.entries(all).map(([name, method]): [string, NodeMethods[string]] => [
        name,
        (request, context) => {
          this.called.add(name);
          return method(request, context);
        },
      ]),
    );
  }

  readonly #methods: NodeMethods = {
    getIdentity: () => ({ nodeName: this.name, bootId: this.bootId }),
    getHealth: () => ({ checks: [] }),
    getKubernetes: () => ({
      version: this.kubernetes,
      layers: [this.kubernetes, ...(this.#parts.layers ?? [])].map((version) => ({ version })),
      ...(this.#act && {
        act: {
          ...{ kind: ActKind.UPGRADE, state: this.#act.state },
          startedAt: { seconds: BigInt(Math.floor(this.#act.startedAtMs / 1000)), nanos: 0 },
        },
      }),
    }),
    upgrade: ({ kubernetesVersion }: { kubernetesVersion: string }) => {
      if (this.#act?.state === ActState.RUNNING) throw refusal('kubernetes/busy', 'it is at it');
      if (!this.#parts.layers?.includes(kubernetesVersion))
        throw refusal('kubernetes/layer-missing', 'it has no such layer');
      void this.#upgrade(kubernetesVersion);
      return {};
    },
    getHotLayer: () => ({
      ...(this.hotLayer > 0 && { layer: { serial: this.hotLayer } }),
      ...(this.#hotFetched > this.hotLayer && { staged: { serial: this.#hotFetched } }),
    }),
    fetchHotLayer: () => {
      this.#hotFetched = this.#parts.newestHotLayer ?? 0;
      if (this.#hotFetched === 0) throw refusal('hot-layer/none-published', 'the repository has none');
      return { layer: { serial: this.#hotFetched } };
    },
    activateHotLayer: ({ serial }: { serial: number }) => {
      if (serial !== this.#hotFetched) throw refusal('hot-layer/not-staged', 'another one is staged');
      this.hotLayer = serial;
      return {};
    },
    // A release without a system: the same one is started again.
    reboot: ({ authorization }: { authorization?: StartAuthorization }) => {
      this.#begin(this.booted, authorization, false);
      return {};
    },
    getUpdate: () => this.#message(),
    cancelUpdate: () => {
      const version = this.staged?.version ?? '';
      this.staged = undefined;
      return { version };
    },
    stageUpdate: async function* (this: SlowMachine, { version }: { version: string }) {
      await this.#stage(version);
      yield { stage: { version, phase: UpdatePhase.STAGED } };
    }.bind(this),
    activateUpdate: ({ version, authorization }: { version: string; authorization?: StartAuthorization }) => {
      const { staged } = this;
      if (!staged || staged.version !== version) throw refusal('update/nothing-staged', 'it is not staged');
      this.#begin(staged, authorization, true);
      return { version };
    },
    rollBack: ({ authorization }: { authorization?: StartAuthorization }) => {
      if (!this.rollback) throw refusal('update/no-rollback', 'there is none');
      const from = this.booted.version;
      this.#begin(this.rollback, authorization, false);
      this.#blocked.push(from);
      return { fromVersion: from };
    },
  };

  async #upgrade(version: string): Promise<void> {
    const { upgradeMs, stageMs } = this.#parts.times;
    const act: { state: ActState; startedAtMs: number } = {
      ...{ state: ActState.RUNNING, startedAtMs: Date.now() },
    };
    this.#act = act;
    await sleep(upgradeMs ?? stageMs, undefined, { ref: false });
    act.state = this.character === 'upgrade-fails' ? ActState.REVERTED : ActState.DONE;
    if (act.state === ActState.DONE) this.kubernetes = version;
    this.#parts.changed(this);
  }

  async #stage(version: string): Promise<void> {
    const system = this.#parts.systems.get(version);
    if (!system) throw refusal('update/not-in-channel', 'the channel has no such version');
    if (this.staged?.version === version) return;
    if (this.#staging?.version !== version) {
      const done = sleep(this.#parts.times.stageMs, undefined, { ref: false });
      this.#staging = { version, done };
    }
    await this.#staging.done;
    this.#staging = undefined;
    this.staged = system;
    this.rollback = undefined;
    this.#phase = UpdatePhase.STAGED;
  }

  #begin(system: SlowSystem, given: StartAuthorization | undefined, isTrial: boolean): void {
    if (this.#phase === UpdatePhase.REBOOTING) throw refusal('machine/busy', 'it reboots');
    if (!given) throw refusal('machine/authorization-stale', 'the operator has to permit each start');
    if (given.bootId !== this.bootId || given.rootHash !== system.rootHash)
      throw refusal('machine/authorization-stale', 'it is for another start');
    if (Number(given.notAfter?.seconds ?? 0n) * 1000 <= Date.now())
      throw refusal('machine/authorization-late', 'it is over');
    this.#phase = UpdatePhase.REBOOTING;
    const { rootHash } = system;
    const [node, fromBootId, bootId] = [this.name, this.bootId, randomUUID()];
    const reboot = { node, fromBootId, bootId, rootHash, nonce: given.nonce };
    this.reboots.push(reboot);
    this.#parts.started?.(reboot);
    void this.#reboot(system, isTrial, bootId);
  }

  async #reboot(system: SlowSystem, isTrial: boolean, bootId: string): Promise<void> {
    const { endMs, bootMs, trialMs } = this.#parts.times;
    const before = this.booted;
    await sleep(endMs, undefined, { ref: false });
    this.isUp = false;
    this.#parts.changed(this);
    if (this.character === 'never-back') return;
    await sleep(bootMs, undefined, { ref: false });
    const fails = isTrial && this.character === 'falls-back';
    const isSame = system.rootHash === before.rootHash;
    this.booted = fails ? before : system;
    if (!isSame) {
      this.rollback = isTrial && !fails ? before : undefined;
      this.staged = undefined;
    }
    this.bootId = bootId;
    this.config.boot();
    this.#phase = isSame
      ? UpdatePhase.IDLE
      : fails || !isTrial
        ? UpdatePhase.ROLLED_BACK
        : UpdatePhase.ASSESSING;
    this.#contract =
      isTrial && !fails ? { bootId: this.bootId, state: HealthContractState.RUNNING } : undefined;
    if (fails) {
      this.#fallBack = { from: system.version, to: before.version };
      this.#blocked.push(system.version);
    }
    this.isUp = true;
    this.#parts.changed(this);
    if (!this.#contract) return;
    await sleep(trialMs, undefined, { ref: false });
    this.#contract = { bootId: this.bootId, state: HealthContractState.HELD };
    this.#phase = UpdatePhase.COMMITTED;
  }

  #message(): Partial<Record<keyof GetUpdateResponse, unknown>> {
    return {
      phase: this.#phase,
      booted: this.booted,
      ...(this.staged && { staged: this.staged }),
      ...(this.rollback && { rollback: this.rollback }),
      ...(this.#contract && { contract: { ...this.#contract, version: this.booted.version } }),
      ...(this.#fallBack && {
        lastFallBack: {
          ...{ fromVersion: this.#fallBack.from, toVersion: this.#fallBack.to },
          reason: {
            code: 'update/contract-broken',
            message: 'the check "containerd" did not pass',
            hint: '',
          },
        },
      }),
      blocked: this.#blocked.map((version) => ({ version })),
    };
  }
}
