import { runAgent } from '../agent.ts';
import type { AuditFiles } from '../audit/audit-files.ts';
import type { AuditRecord } from '../server/audit.ts';
import { memoryStore, type StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';
import { fakeProbe } from './fake-cluster.ts';
import { type FakeMachine, fakeSys } from './fake-sys.ts';
import { imagePathRules } from './paths.ts';

/** plinthd as a part of this process. */
export interface StartedAgent {
  /** What it said on its console. */
  readonly lines: readonly string[];
  /** What it wrote to the journal. */
  readonly audit: readonly AuditRecord[];
  /** Waits for a line on the console. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  stop(): void;
  /** Fulfilled when it has ended. */
  readonly ended: Promise<void>;
}

/** What a plinthd of tests keeps, by default nothing, and where it listens. */
export interface KeptState {
  readonly store?: StateStore;
  readonly auditFiles?: AuditFiles;
  /** Default: one that the kernel picks, at each listen. */
  readonly port?: number;
}

/** plinthd with a fake machine below it, on a port of the loopback that the kernel picks. */
export function startAgent(machine: FakeMachine, kept: KeptState = {}): StartedAgent {
  return startAgentOn(() => fakeSys(machine), kept);
}

/** As startAgent, on a machine that may be another one at each look. */
export function startAgentOn(machine: () => Sys, kept: KeptState = {}): StartedAgent {
  const lines: string[] = [];
  const audit: AuditRecord[] = [];
  const stopping = new AbortController();
  let heard = () => {};
  const ended = runAgent({
    sys: changingSys(machine),
    store: memoryStore('a test keeps nothing'),
    console: {
      say: (line) => {
        lines.push(line);
        heard();
      },
    },
    audit: (record) => audit.push(record),
    version: '0.1.0',
    pathRules: imagePathRules(),
    configFiles: { write: async () => {}, remove: async () => {} },
    probes: [],
    probe: fakeProbe(),
    port: 0,
    bindAddress: '127.0.0.1',
    setHostName: async () => {},
    ready: async () => {},
    retryMs: 5,
    watchMs: 5,
    configTickMs: 5,
    signal: stopping.signal,
    ...kept,
  });
  /** Waits for a line on the console. */
  const line = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = lines.map((text) => pattern.exec(text)).find((match) => match !== null);
      if (found) return found;
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
  };
  return { lines, audit, line, stop: () => stopping.abort(), ended };
}

function changingSys(machine: () => Sys): Sys {
  return {
    readFile: (path) => machine().readFile(path),
    readRange: (path, offset, lengthBytes) => machine().readRange(path, offset, lengthBytes),
    readDir: (path) => machine().readDir(path),
    readAtOnce: (path) => machine().readAtOnce(path),
    readLines: (path) => machine().readLines(path),
    readLink: (path) => machine().readLink(path),
    run: (program, args) => machine().run(program, args),
    stream: (program, args, signal) => machine().stream(program, args, signal),
    usage: (path) => machine().usage(path),
    modifiedAtMs: (path) => machine().modifiedAtMs(path),
    status: (path) => machine().status(path),
    addresses: () => machine().addresses(),
    hostName: () => machine().hostName(),
    nowMs: () => machine().nowMs(),
  };
}
