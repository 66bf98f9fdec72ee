import type { NodeCall } from '../decide/decision.ts';
import { type Authorization, momentMs, momentOf, type NodeReport, type Target } from '../objects/index.ts';

/** How a machine takes a release: 'good'; starts it once and falls back; starts it and never gets Ready; never comes back. */
export type Character =
  | 'good'
  | 'falls-back'
  | 'never-ready'
  | 'never-back'
  /** Kubernetes goes back by itself. */
  | 'not-upgraded'
  /** plinthd takes a config back that the node is not healthy with. */
  | 'config-reverted';

/** One start of a machine, as the machine itself knows it. */
export interface Start {
  readonly node: string;
  readonly nodeUid: string;
  readonly fromBootId: string;
  readonly bootId: string;
  readonly rootHash: string;
  /** Of the permission that was used; undefined: the boot loader's own fall-back, or somebody pulled the plug. */
  readonly nonce: string | undefined;
}

const OLD_KUBERNETES = '1.36.4';

/** What a config takes, and what has become of it. */
interface FakeConfig {
  readonly digest: string;
  readonly release: string;
}

export const OLD_SYSTEM = 'a'.repeat(64);

/**
 * FakeMachine is a node from below: plinthd with its two slots and its boot loader, which tries a new system once and then goes
 * back by itself. It keeps the rules of plinthd: nothing starts without a permission of this boot, for what is staged, in time.
 */
export class FakeMachine {
  readonly name: string;
  readonly starts: Start[] = [];
  uid = '';
  isUp = true;
  isReady = true;
  runs = OLD_SYSTEM;
  /** What lies proven in the other slot; empty: nothing does. */
  #back = '';
  #staged = '';
  #boots = 1;
  #next: { rootHash: string; nonce: string | undefined } | undefined;
  #isOnTrial = false;
  #blocked: string[] = [];
  #failure: NodeReport['failure'];
  /** Serial of the hot layer that is merged; and of one that is fetched. */
  hotLayer = 0;
  #hotFetched = 0;
  #hotNext = 0;
  kubernetes = OLD_KUBERNETES;
  /** What the kubelet says. */
  kubelet = OLD_KUBERNETES;
  #act: NodeReport['kubernetesAct'];
  #acts = 0;
  /** Steps until an act is over. */
  #actSteps = 0;
  #upgradesTo = '';
  /** Configs that were in effect, the present one last. */
  #configs: FakeConfig[] = [];
  #configNext: FakeConfig | 'before' | undefined;
  #configTrial: FakeConfig | undefined;
  #reverted = '';
  /** Configs come into effect by a reboot only. */
  configNeedsReboot = false;
  /** What came at once goes by a reboot only. */
  configBackNeedsReboot = false;
  character: Character = 'good';
  /** By how much its clock is wrong. */
  skewMs = 0;
  /** False: a plinthd that starts while it is at an act. */
  refusesInAct = true;
  /** False: a mutant that starts for whoever says so, as a flag on a node would have it. */
  checksPermission = true;

  constructor(name: string) {
    this.name = name;
  }

  get bootId(): string {
    return `${this.name}-boot-${this.#boots}`;
  }

  get isEnding(): boolean {
    return this.#next !== undefined;
  }

  /** The act on Kubernetes that runs. */
  get isActing(): boolean {
    return this.#act?.state === 'Running';
  }

  /** A person has plinthd do something with Kubernetes that leaves its version as it is. @param steps how long it takes */
  beginAct(nowMs: number, steps: number): void {
    if (this.isActing || this.isEnding) return;
    this.#acts += 1;
    this.#act = { startedAt: momentOf(nowMs + this.#acts), state: 'Running' };
    this.#actSteps = steps;
    this.#upgradesTo = this.kubernetes;
  }

  /** A person applies another config, past everybody. */
  changeConfig(): void {
    this.#configs.push({ digest: '', release: '' });
  }

  /** Answers a call as plinthd does; undefined: no answer. */
  call(
    call: NodeCall,
    permission: Authorization | undefined,
    nowMs: number,
    target: Target | undefined,
  ): NodeReport | undefined {
    if (!this.isUp) return undefined;
    if (
      call.call === 'stage' &&
      !this.isEnding &&
      call.target.osRootHash !== '' &&
      this.runs !== call.target.osRootHash
    ) {
      if (this.#isOnTrial || this.#blocked.includes(call.target.osVersion))
        this.#failure = { code: 'update/refused', text: 'the slot is not free' };
      else {
        // There are two slots: what is staged lies where the system before lay.
        this.#staged = call.target.osRootHash;
        this.#back = '';
      }
    }
    if (call.call === 'stage')
      this.#hotFetched = Math.max(this.#hotFetched, this.hotLayer, call.target.hotLayerSerial);
    if (call.call === 'upgrade-kubernetes') this.#upgrade(call.target, nowMs);
    if (call.call === 'activate') this.#activate(call.target, permission, nowMs);
    if (call.call === 'take-back') this.#takeBack(call.target, false);
    if (call.call === 'roll-back') {
      const isSystemBack = permission?.rootHash !== this.runs;
      if (target) this.#takeBack(target, true);
      this.#permit(permission, 'Back', isSystemBack ? this.#back : this.runs, nowMs);
    }
    return this.report(nowMs, target);
  }

  #upgrade({ kubernetesVersion }: Target, nowMs: number): void {
    if (this.isActing || this.isEnding || this.kubernetes === kubernetesVersion) return;
    this.beginAct(nowMs, 0);
    this.#upgradesTo = kubernetesVersion;
  }

  #activate(target: Target, permission: Authorization | undefined, nowMs: number): void {
    if (target.configDigest !== '' && this.#stateOfConfig(target) === 'Due' && !this.isEnding) {
      const config = { digest: target.configDigest, release: target.release };
      if (permission) this.#configNext = config;
      else if (!this.configNeedsReboot) this.#configTrial = config;
    }
    if (target.hotLayerSerial > this.hotLayer && this.#hotFetched >= target.hotLayerSerial)
      this.#hotNext = target.hotLayerSerial;
    if (target.osRootHash !== '' && this.runs !== target.osRootHash)
      this.#permit(permission, 'Forward', this.#staged, nowMs);
    else if (permission) this.#permit(permission, 'Forward', this.runs, nowMs);
  }

  #takeBack({ release }: Target, isWithBoot: boolean): void {
    if (this.#configs.at(-1)?.release !== release) return;
    if (isWithBoot) this.#configNext = 'before';
    else if (this.configNeedsReboot || this.configBackNeedsReboot) this.#configNext = 'before';
    else this.#configs.pop();
  }

  #stateOfConfig({ configDigest }: Target): NonNullable<NodeReport['config']>['state'] {
    if (this.#configTrial?.digest === configDigest) return 'OnTrial';
    if (this.#configs.at(-1)?.digest === configDigest) return 'InEffect';
    if (this.#reverted === configDigest) return 'Reverted';
    return this.#configNext !== 'before' && this.#configNext?.digest === configDigest ? 'Staged' : 'Due';
  }

  #config(target: Target): NodeReport['config'] {
    const state = this.#stateOfConfig(target);
    const isThere = state === 'InEffect' || state === 'OnTrial';
    return {
      ...{ revision: this.#configs.length + 1, state, changes: isThere ? [] : ['sysctls'], drift: [] },
      needs: isThere ? 'Nothing' : this.configNeedsReboot ? 'Reboot' : 'Restart',
      isBackStaged: this.#configNext === 'before',
      isOurs: (this.#configTrial ?? this.#configs.at(-1))?.release === target.release,
    };
  }

  #permit(
    permission: Authorization | undefined,
    direction: Authorization['direction'],
    rootHash: string,
    nowMs: number,
  ): void {
    if (!this.checksPermission && permission && !this.isEnding)
      this.#next = { rootHash: rootHash || this.runs, nonce: permission.nonce };
    if (this.isEnding || rootHash === '') return;
    if (this.isActing && this.refusesInAct) {
      this.#failure = { code: 'machine/busy', text: 'an act on Kubernetes runs, expected none' };
      return;
    }
    const isGood =
      permission !== undefined &&
      permission.bootId === this.bootId &&
      permission.rootHash === rootHash &&
      permission.direction === direction &&
      nowMs + this.skewMs < momentMs(permission.notAfter);
    if (isGood) this.#next = { rootHash, nonce: permission.nonce };
    else this.#failure = { code: 'machine/not-permitted', text: 'it names another boot, or is over' };
  }

  report(nowMs: number, target: Target | undefined): NodeReport {
    const config = target && target.configDigest !== '' ? this.#config(target) : undefined;
    return {
      ...{ observedAt: momentOf(nowMs), bootId: this.bootId, osVersion: this.runs.slice(0, 4) },
      ...{ osRootHash: this.runs, stagedVersion: this.#staged.slice(0, 4), stagedRootHash: this.#staged },
      ...{ rollbackVersion: this.#back.slice(0, 4), rollbackRootHash: this.#back },
      updatePhase: this.isEnding ? 'rebooting' : this.#isOnTrial ? 'assessing' : 'idle',
      contract: this.#isOnTrial ? 'running' : 'held',
      ...{ kubernetesVersion: this.kubernetes, hotLayerSerial: this.hotLayer },
      configDigest: config?.state === 'InEffect' ? (target?.configDigest ?? '') : '',
      ...(config && { config }),
      ...(this.#act && (this.isActing || target?.kubernetesVersion) && { kubernetesAct: this.#act }),
      blockedVersions: this.#blocked,
      stagedPercent:
        (this.#staged !== '' || (target?.osRootHash ?? '') === '') &&
        Math.max(this.#hotFetched, this.hotLayer) >= (target?.hotLayerSerial ?? 0)
          ? 100
          : 0,
      ...(this.#failure && { failure: this.#failure }),
    };
  }

  /** Lets the machine do what comes next: end its boot, come up, prove what it runs or go back from it. */
  step(): void {
    this.#stepParts();
    if (this.#next) {
      const { rootHash, nonce } = this.#next;
      const isBack = rootHash === this.#back || this.#configNext === 'before';
      this.#next = undefined;
      if (rootHash === this.#back) this.#block();
      const isOther = rootHash !== this.runs;
      this.#start(rootHash, nonce);
      this.#bootConfig();
      this.#isOnTrial = !isBack && isOther;
      this.isUp = isBack || this.character !== 'never-back';
      this.isReady = false;
    } else if (this.#isOnTrial && this.character === 'falls-back') {
      this.#failure = { code: 'update/fell-back', text: 'its health contract did not hold' };
      this.#block();
      this.#start(this.#back, undefined);
      if (this.#configTrial) this.#revert(this.#configTrial);
      this.#isOnTrial = false;
    } else if (this.isUp) {
      this.#isOnTrial = false;
      this.isReady = this.#back === '' || this.character !== 'never-ready';
    }
  }

  /** What is staged takes effect with the next boot, whatever ends this one. */
  #bootConfig(): void {
    if (this.#configNext === 'before') this.#configs.pop();
    else if (this.#configNext) this.#configTrial = this.#configNext;
    this.#configNext = undefined;
  }

  #revert({ digest }: FakeConfig): void {
    this.#reverted = digest;
    this.#configTrial = undefined;
  }

  /** An upgrade and the trial of a config end by themselves. */
  #stepParts(): void {
    if (!this.isUp) return;
    if (this.isActing && this.#actSteps > 0) this.#actSteps -= 1;
    else if (this.#act?.state === 'Running') {
      const isGood = this.character !== 'not-upgraded' || this.#upgradesTo === this.kubernetes;
      this.#act = { ...this.#act, state: isGood ? 'Done' : 'Reverted' };
      if (isGood) this.kubernetes = this.#upgradesTo;
    }
    this.kubelet = this.kubernetes;
    if (this.#hotNext > this.hotLayer) this.hotLayer = this.#hotNext;
    if (!this.#configTrial || this.#isOnTrial) return;
    if (this.character === 'config-reverted' || this.character === 'falls-back')
      this.#revert(this.#configTrial);
    else {
      this.#configs.push(this.#configTrial);
      this.#configTrial = undefined;
    }
  }

  /** plinthd blocks what a node came back from. */
  #block(): void {
    this.#blocked = [...this.#blocked, this.runs.slice(0, 4)];
  }

  #start(rootHash: string, nonce: string | undefined): void {
    const [fromBootId, before] = [this.bootId, this.runs];
    this.#boots += 1;
    this.runs = rootHash;
    if (rootHash !== before) {
      this.#back = rootHash === this.#back ? '' : before;
      this.#staged = '';
    }
    this.starts.push({
      ...{ node: this.name, nodeUid: this.uid, fromBootId, bootId: this.bootId, rootHash, nonce },
    });
  }
}
