import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ApiEndpoint,
  followConsoleLines,
  judgeConsoleLine,
  type MachineSpec,
  type MachineStatus,
  startMachine,
} from '@plinth/local';
import type { BootLab } from '../boot-lab.ts';

/** A machine whose API answers, after however many boots that took. */
export interface ReadyMachine {
  readonly spec: MachineSpec;
  readonly machine: MachineStatus;
  readonly endpoint: ApiEndpoint;
  /** Everything on the console until then. */
  readonly lines: readonly string[];
  /** From the start of the machine. */
  readonly tookMs: number;
}

/** Says of a line, and those before it, that what is waited for has happened; the API has to answer too. */
export type IsDone = (line: string, lines: readonly string[]) => boolean;

/** startUntilReady starts a machine that goes on over reboots, and waits until its API answers. */
export async function startUntilReady(
  lab: BootLab,
  spec: MachineSpec,
  timeoutMs: number,
  isDone?: IsDone,
): Promise<ReadyMachine> {
  const startedMs = performance.now();
  const machine = await startMachine(lab.toolbox, spec, { root: lab.machinesRoot });
  const { endpoint, lines } = await untilReady(lab, machine, timeoutMs, isDone);
  return { spec, machine, endpoint, lines, tookMs: performance.now() - startedMs };
}

/** Follows the console of this start until the API answers, and `isDone` says so. */
async function untilReady(
  lab: BootLab,
  machine: MachineStatus,
  timeoutMs: number,
  isDone: IsDone = () => true,
): Promise<Pick<ReadyMachine, 'endpoint' | 'lines'>> {
  const signal = AbortSignal.timeout(timeoutMs);
  const lines: string[] = [];
  let endpoint: ApiEndpoint | undefined;
  let done = false;
  try {
    for await (const line of followConsoleLines(machine, signal)) {
      lines.push(line);
      const verdict = judgeConsoleLine(line);
      if (verdict?.kind === 'ready') {
        endpoint = { address: '127.0.0.1', port: machine.record.apiPort, fingerprint: verdict.fingerprint };
      }
      done ||= isDone(line, lines);
      if (endpoint && done) return { endpoint, lines };
    }
  } finally {
    const folder = join(lab.reportFolder, 'consoles');
    await mkdir(folder, { recursive: true });
    await appendFile(join(folder, `${machine.name}.log`), `${lines.join('\n')}\n----\n`);
  }
  throw new Error(
    `${machine.name}: ${signal.aborted ? 'not ready in time' : 'it ended'} after:\n${lines.slice(-25).join('\n')}`,
  );
}
