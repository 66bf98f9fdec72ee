import { messageOf } from '@plinth/base';
import { splitLines } from '../sys/split-lines.ts';
import { errorCode, type Sys } from '../sys/sys.ts';

const RUN_LIMIT_MS = 10_000;
const OUTPUT_LIMIT_BYTES = 4 * 1024 * 1024;

/** The parts of an answer, and which of them could not be observed. */
export interface Observation {
  /** What is missing from the answer, each with its reason. */
  readonly notObserved: string[];
  /** Gives what `work` finds; undefined when it fails, which is then noted under the name `what`. */
  attempt<T>(what: string, work: () => Promise<T>): Promise<T | undefined>;
}

/** openObservation begins an answer whose parts may fail on their own. */
export function openObservation(): Observation {
  const notObserved: string[] = [];
  return {
    notObserved,
    async attempt(what, work) {
      try {
        return await work();
      } catch (reason) {
        notObserved.push(`${what}: ${whyNot(reason)}`);
        return undefined;
      }
    },
  };
}

/** whyNot is a failure in a few words. */
export function whyNot(reason: unknown): string {
  const code = errorCode(reason);
  if (code === 'EACCES' || code === 'EPERM') return 'the kernel refuses it to plinthd';
  if (code === 'ENOENT') return 'it does not exist here';
  return messageOf(reason);
}

/** runText runs a program and gives its output of at most 4 MiB. Throws with its own words when it fails. */
export async function runText(
  sys: Pick<Sys, 'stream'>,
  program: string,
  args: readonly string[],
): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of output(sys, program, args)) {
    sizeBytes += chunk.length;
    if (sizeBytes > OUTPUT_LIMIT_BYTES) throw new Error(`${program} gives more than 4 MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** runLines gives the lines a program writes, of any number, some at a time. Throws with its own words when it fails. */
export function runLines(
  sys: Pick<Sys, 'stream'>,
  program: string,
  args: readonly string[],
): AsyncIterable<readonly string[]> {
  return splitLines(output(sys, program, args));
}

async function* output(sys: Pick<Sys, 'stream'>, program: string, args: readonly string[]) {
  const hangUp = AbortSignal.timeout(RUN_LIMIT_MS);
  try {
    yield* sys.stream(program, args, hangUp);
  } catch (reason) {
    const said = reason instanceof Error && 'stderr' in reason ? `: ${String(reason.stderr).trim()}` : '';
    throw new Error(`${whyNot(reason)}${said}`, { cause: reason });
  }
  if (hangUp.aborted) throw new Error(`${program} did not end in ${RUN_LIMIT_MS / 1000} s`);
}
