import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { eventually } from '@plinth/host/testing';

/** The part of a toolbox that starts a program which stays; a toolbox is one. */
interface CommandSource {
  command(
    program: string,
    args: readonly string[],
    options: {
      readonly network: boolean;
      readonly binds: readonly {
        readonly host: string;
        readonly inside: string;
        readonly readOnly?: boolean;
      }[];
    },
  ): {
    readonly program: string;
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  };
}

/** A server of others that a test started. */
export interface RunningTool extends AsyncDisposable {
  /** "http://127.0.0.1:PORT" */
  readonly url: string;
  /** What it wrote so far. */
  readonly log: () => string;
}

/**
 * runServer starts a server in a toolbox and waits until it answers on its port of loopback; disposing ends it.
 * @param port that it was told to listen on
 */
export async function runServer(
  tools: CommandSource,
  port: number,
  [program, ...args]: readonly [string, ...string[]],
  binds: Parameters<CommandSource['command']>[2]['binds'],
): Promise<RunningTool> {
  const command = tools.command(program, args, { network: true, binds });
  const child = spawn(command.program, command.args, { env: command.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const log = () => Buffer.concat(chunks).toString('utf8');
  const url = `http://127.0.0.1:${port}`;
  try {
    await eventually(async () => (await fetch(url)).status > 0, {
      isHopeless: () => child.exitCode !== null,
    });
  } catch (cause) {
    await end(child);
    throw new Error(`${program} does not answer: ${log().slice(-3000)}`, { cause });
  }
  return { url, log, [Symbol.asyncDispose]: () => end(child) };
}

/** freePort gives a port of loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return address !== null && typeof address === 'object' ? address.port : 0;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  child.kill('SIGTERM');
  await ended;
}
