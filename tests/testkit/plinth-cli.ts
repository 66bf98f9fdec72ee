import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The command line as a user has it, with a state and a configuration of its own. */
export interface PlinthCli {
  /** Runs a command to its end. */
  run(args: readonly string[], options?: { readonly input?: string }): Promise<CliResult>;
  /** Runs a command that must succeed; gives what it printed. */
  print(...args: string[]): Promise<string>;
  /** Runs a command that must succeed and print JSON. */
  json(...args: string[]): Promise<unknown>;
  /** kubectl of the cluster, on the objects in `input` where it has any. */
  kubectl(args: readonly string[], input?: string): Promise<string>;
  /** Starts a command that goes on; the caller ends it. */
  start(args: readonly string[]): ChildProcess;
}

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const repository = fileURLToPath(new URL('../../', import.meta.url));
const program = join(repository, 'packages/cli/src/main.ts');

/**
 * openPlinthCli gives the command line of this checkout.
 * @param folder receives its state and configuration
 */
export function openPlinthCli(folder: string): PlinthCli {
  const keys = process.env['PLINTH_TEST_KEYS'];
  if (!keys)
    throw new Error(
      'Cannot use the command line: PLINTH_TEST_KEYS is not set, "plinth test --boot" sets it.',
    );
  const env = {
    ...process.env,
    PLINTH_STATE_DIR: join(folder, 'state'),
    PLINTH_CONFIG_DIR: join(folder, 'config'),
    PLINTH_KEYS: resolve(keys),
    // A test inside a test runner is not what the commands are.
    NODE_TEST_CONTEXT: undefined,
  };
  const start = (args: readonly string[]) =>
    spawn(process.execPath, [program, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  const run: PlinthCli['run'] = async (args, { input = '' } = {}) => {
    const child = start(args);
    child.stdin.end(input);
    const [stdout, stderr, exitCode] = await Promise.all([
      collect(child.stdout),
      collect(child.stderr),
      new Promise<number>((done, fail) => {
        child.once('error', fail);
        child.once('close', (code) => done(code ?? -1));
      }),
    ]);
    return { exitCode, stdout, stderr };
  };
  const must = async (args: readonly string[], input = '') => {
    const { exitCode, stdout, stderr } = await run(args, { input });
    if (exitCode === 0) return stdout;
    throw new Error(
      `plinth ${args.join(' ')} ended with ${exitCode}:\n${stderr.slice(-4000)}${stdout.slice(-1000)}`,
    );
  };
  return {
    run,
    start,
    print: (...args) => must(args),
    json: async (...args): Promise<unknown> => JSON.parse(await must([...args, '-o', 'json'])),
    kubectl: (args, input) => must(['kubectl', ...args], input),
  };
}

async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
