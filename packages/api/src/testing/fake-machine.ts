import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { ServiceImpl } from '@connectrpc/connect';
import { FailureSchema } from '../gen/plinth/node/v1/kubernetes_pb.ts';
import {
  type Drain,
  MachineActKind,
  MachineActState,
  type MachineService,
} from '../gen/plinth/node/v1/machine_pb.ts';
import { BootEndKind } from '../gen/plinth/node/v1/node_pb.ts';
import { refusal } from './refusal.ts';

interface Act {
  readonly kind: MachineActKind;
  state: MachineActState;
  readonly reason: string;
  readonly overridden: string;
}

/**
 * FakeMachine keeps the rules of MachineService in memory: one act at a time, a quorum, a typed name. Each GetMachine and
 * each question for its boot takes an act one state further. It does not go away, so its absence is a moment.
 */
export class FakeMachine {
  readonly name: string;
  boot = 1;
  act: Act | undefined;
  lastEnd: { kind: BootEndKind; askedBy: string; reason: string } = {
    ...{ kind: BootEndKind.FIRST_BOOT, askedBy: '', reason: '' },
  };
  /** Why the node may not end; empty when it may. */
  quorumAtRisk = '';
  /** Why pods do not go; empty when they do. */
  drainFails = '';
  readonly restarted: string[] = [];

  constructor(name: string) {
    this.name = name;
  }

  readonly service: Partial<ServiceImpl<typeof MachineService>> = {
    getMachine: () => {
      this.advance();
      return { restartableServices: ['containerd', 'plinthd'], ...(this.act && { act: this.#message() }) };
    },
    reboot: ({ reason, override, drain }) => this.reboot(reason, override, drain),
    shutdown: ({ reason, override, drain }) => this.#begin(MachineActKind.SHUTDOWN, reason, override, drain),
    reset: ({ confirm, reason, override }) => {
      if (confirm !== this.name) throw refusal('machine/not-confirmed', 'it was not confirmed');
      return { ...this.#begin(MachineActKind.RESET, reason, override, undefined), configIsLost: true };
    },
    restartService: ({ service }) => {
      if (service !== 'containerd') throw refusal('machine/not-a-service', 'it is none of containerd');
      this.restarted.push(service);
      return { duration: { seconds: 2n } };
    },
  };

  /** Begins a reboot. @throws a refusal */
  reboot(reason: string, override: string, drain: Drain | undefined) {
    return this.#begin(MachineActKind.REBOOT, reason, override, drain);
  }

  /** Takes the act one state further. */
  advance(): void {
    const { act } = this;
    if (act?.state === MachineActState.DRAINING)
      act.state = this.drainFails === '' ? MachineActState.ENDING : MachineActState.FAILED;
    else if (act?.state === MachineActState.ENDING) {
      this.boot++;
      const kind = act.kind === MachineActKind.REBOOT ? BootEndKind.REBOOT : BootEndKind.SHUTDOWN;
      this.lastEnd = { kind, askedBy: 'someone', reason: act.reason };
      act.state = MachineActState.RETURNING;
    } else if (act?.state === MachineActState.RETURNING) act.state = MachineActState.DONE;
  }

  #begin(kind: MachineActKind, reason: string, override: string, drain: Drain | undefined) {
    if (this.act && this.act.state !== MachineActState.DONE && this.act.state !== MachineActState.FAILED)
      throw refusal('machine/busy', 'it is at another act');
    if (this.quorumAtRisk !== '' && override !== this.name)
      throw refusal('machine/quorum-at-risk', this.quorumAtRisk);
    const state = drain ? MachineActState.DRAINING : MachineActState.ENDING;
    this.act = { kind, state, reason, overridden: this.quorumAtRisk };
    return { act: this.#message() };
  }

  #message() {
    const failed = this.act?.state === MachineActState.FAILED;
    return {
      ...this.act,
      askedBy: 'someone',
      askedAt: timestampFromMs(1_800_000_000_000),
      ...(failed && {
        failure: create(FailureSchema, {
          ...{ code: 'machine/drain-failed', message: `Cannot drain the node: ${this.drainFails}` },
        }),
      }),
    };
  }
}
