import type { Write } from '../decide/decision.ts';
import { FakeMachine } from '../testing/fake-machine.ts';
import type { ReplaceTry } from '../view/view.ts';
import type { Simulation } from './simulation.ts';
import { joinNode } from './world.ts';

/** What a pool gives to new nodes, and how its provider goes about it. */
export interface ProviderOptions {
  /** Root hash of new machines. */
  readonly system: string;
  /** Steps from one stage of a replacement to the next. */
  readonly pace: number;
  /** Why no Machine may be deleted; absent: each may. */
  readonly refuses?: string;
  /** Machines that were deleted get no other in their place. */
  readonly givesNone?: boolean;
}

/**
 * FakeProvider is what Cluster API does with a pool whose Machines are replaced on deletion: a Machine that is deleted takes its Node away
 * after a while, and another one comes, of another name.
 */
export class FakeProvider {
  readonly #simulation: Simulation;
  options: ProviderOptions;
  /** By UID of the Node: steps until it is gone. */
  readonly #leaving = new Map<string, { readonly name: string; steps: number }>();
  readonly #coming: { steps: number }[] = [];
  #made = 0;
  deletions = 0;

  constructor(simulation: Simulation, options: ProviderOptions) {
    this.#simulation = simulation;
    this.options = options;
    simulation.provider = this;
  }

  get isIdle(): boolean {
    return this.#leaving.size + this.#coming.length === 0;
  }

  ask({ node, uid, mayDelete }: Extract<Write, { readonly do: 'replace-node' }>): Omit<ReplaceTry, 'atMs'> {
    if (this.#leaving.has(uid)) return { is: 'deleting', text: 'on its way out' };
    if (this.#simulation.server.objects.node.get(node)?.uid !== uid)
      return { is: 'unknown', text: 'there is no such Machine' };
    const { refuses, pace } = this.options;
    if (refuses !== undefined) return { is: 'refused', text: refuses };
    if (!mayDelete) return { is: 'kept', text: 'it is not being deleted' };
    this.deletions += 1;
    this.#leaving.set(uid, { name: node, steps: pace });
    return { is: 'deleting', text: 'on its way out' };
  }

  step(): void {
    const { server, machines } = this.#simulation;
    for (const [uid, leaving] of this.#leaving) {
      leaving.steps -= 1;
      if (leaving.steps > 0) continue;
      this.#leaving.delete(uid);
      machines.delete(leaving.name);
      server.remove('node', leaving.name);
      // Owned by the Node.
      server.remove('nodeUpdate', leaving.name);
      if (!this.options.givesNone) this.#coming.push({ steps: this.options.pace });
    }
    for (const coming of this.#coming.splice(0)) {
      coming.steps -= 1;
      if (coming.steps > 0) this.#coming.push(coming);
      else this.#join();
    }
    this.#simulation.audit();
  }

  #join(): void {
    this.#made += 1;
    const machine = new FakeMachine(`made-${this.#made}`);
    machine.runs = this.options.system;
    this.#simulation.machines.set(machine.name, machine);
    joinNode(this.#simulation, machine, this.#made);
    this.#simulation.sync();
  }
}
