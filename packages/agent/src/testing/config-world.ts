import type { ConnectRouter, Interceptor } from '@connectrpc/connect';
import type { CheckResult } from '../checks/check.ts';
import { configService } from '../config/config-service.ts';
import type { FoundConfig } from '../config/find-config.ts';
import { chooseConfig } from '../config/transaction/choose-config.ts';
import { openConfigStore } from '../config/transaction/config-store.ts';
import type { MachineFiles } from '../config/transaction/machine-files.ts';
import { type ConfigTransaction, openTransaction } from '../config/transaction/open-transaction.ts';
import { type ConfigOperations, configOperations } from '../config/transaction/operations.ts';
import { callerKey, guard } from '../server/guard.ts';
import type { StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import { fakeSys, systemError } from './fake-sys.ts';

/** A machine for tests of the transaction: what survives plinthd, what survives a reboot, and where plinthd is killed. */
export class World {
  /** Survives everything. */
  readonly disk = new Map<string, Buffer>();
  /** In memory: gone at reboot. */
  files = new Map<string, { mode: number; text: string }>();
  /** What systemd-networkd has read; it starts with what is there. */
  loaded = '';
  boot = 1;
  upMs = 60_000;
  nowMs = Date.UTC(2026, 10, 22);
  healthy = true;
  /** networkctl fails. */
  reloadFails = false;
  /** The cluster the node is a member of. */
  cluster: string | undefined;
  /** Nothing can be stored. */
  diskIsFull = false;
  /** Operations plinthd may still do before it is killed; undefined: it lives. */
  budget: number | undefined;
  said: string[] = [];
  programs: string[] = [];
  restarts = 0;
  given: FoundConfig = { ok: false, code: 'agent/config-missing', problems: [] };
  #killed = () => {};

  /** The text of all files, by path. */
  snapshot(): string {
    return JSON.stringify([...this.files].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  reboot(): void {
    this.boot++;
    this.upMs = 1_000;
    this.files = new Map();
    this.loaded = this.snapshot();
  }

  /** One life of plinthd. `dead` resolves when it is killed: nothing it began goes on then. */
  life() {
    let alive = true;
    const dead = new Promise<void>((resolve) => {
      this.#killed = resolve;
    });
    const point = async () => {
      if (alive && this.budget !== undefined && this.budget-- <= 0) {
        alive = false;
        this.budget = undefined;
        this.#killed();
      }
      // A killed process does nothing more, and nobody hears of it.
      if (!alive) await new Promise<never>(() => {});
    };
    const around = async (effect: () => void) => {
      await point();
      effect();
      await point();
    };
    const state: StateStore = {
      volatileBecause: undefined,
      read: async (name) => this.disk.get(name),
      write: (name, data) =>
        around(() => {
          if (this.diskIsFull) throw systemError('ENOSPC', name);
          this.disk.set(name, Buffer.from(data));
        }),
      remove: (name) => around(() => this.disk.delete(name)),
      setAside: (name) => around(() => this.disk.delete(name)),
    };
    const machine: MachineFiles = {
      write: (path, mode, text) => around(() => this.files.set(path, { mode, text })),
      remove: (path) => around(() => this.files.delete(path)),
    };
    return { dead, state, machine, sys: this.#sys(around) };
  }

  /** Starts plinthd on this machine; undefined when it stays in maintenance. */
  async start(): Promise<Plinthd | undefined> {
    const { dead, state, machine, sys } = this.life();
    const opened = (async () => {
      const store = openConfigStore(state);
      const clusterOf = async () => this.cluster;
      const chosen = await chooseConfig(sys, store, this.given, clusterOf);
      if (!chosen) return undefined;
      const transaction = openTransaction(chosen, {
        ...{ sys, store, files: machine, tickMs: 1, healthMs: 0, answerMs: 0 },
        console: { say: (line) => this.said.push(line) },
        restartOwn: () => {
          this.restarts++;
        },
      });
      transaction.watchHealth(async () => this.#checks());
      return {
        transaction,
        operations: configOperations(transaction, { volatileBecause: undefined, clusterOf }),
        dead,
      };
    })();
    return Promise.race([opened, dead.then(() => undefined)]);
  }

  #checks(): readonly CheckResult[] {
    const verdict = this.healthy ? 'pass' : 'fail';
    const rest = { expected: '', observed: '', source: '', cause: '', fix: '' };
    return [{ ...rest, id: 'containerd', verdict, critical: true }];
  }

  #sys(around: (effect: () => void) => Promise<void>): Sys {
    return {
      ...fakeSys({}),
      readFile: async (path) => {
        if (path === '/proc/uptime') return Buffer.from(`${this.upMs / 1000} 0\n`);
        if (path === '/proc/sys/kernel/random/boot_id') return Buffer.from(`boot-${this.boot}\n`);
        const file = this.files.get(path);
        if (!file) throw systemError('ENOENT', path);
        return Buffer.from(file.text);
      },
      status: async (path) => {
        const file = this.files.get(path);
        if (!file) throw systemError('ENOENT', path);
        return { kind: 'file', mode: file.mode, uid: 0, gid: 0, inode: 0 };
      },
      run: async (program, args) => {
        const line = [program.split('/').at(-1), ...args].join(' ');
        if (line === 'systemctl is-system-running') return { exitCode: 0, stdout: 'running', stderr: '' };
        const fails = this.reloadFails && line === 'networkctl reload';
        await around(() => {
          this.programs.push(line);
          if (line === 'networkctl reload' && !fails) this.loaded = this.snapshot();
        });
        return { exitCode: fails ? 1 : 0, stdout: '', stderr: fails ? 'no' : '' };
      },
      nowMs: () => this.nowMs,
    };
  }
}

/** A running plinthd, as far as the machine config goes. */
export interface Plinthd {
  readonly transaction: ConfigTransaction;
  readonly operations: ConfigOperations;
  readonly dead: Promise<void>;
}

/** serveWorld gives the routes of ConfigService on a machine of tests, as which an admin named "alice" comes. */
export async function serveWorld(world: World): Promise<{
  readonly plinthd: Plinthd;
  readonly routes: (router: ConnectRouter) => void;
}> {
  const plinthd = await world.start();
  if (!plinthd) throw new Error('the machine of the test has no config');
  const service = configService({ ...plinthd, source: () => 'fw_cfg', provisioningProblems: [] });
  const caller = { commonName: 'alice', role: 'plinth:admin' } as const;
  const asAlice: Interceptor = (next) => (request) => {
    request.contextValues.set(callerKey, { ok: true, caller });
    return next(request);
  };
  return {
    plinthd,
    routes: (router) =>
      service({
        ...router,
        service: (type, routes, options) =>
          router.service(type, routes, { ...options, interceptors: [asAlice, guard(() => {}, Date.now)] }),
      }),
  };
}
