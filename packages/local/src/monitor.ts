import { type FileHandle, open } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { PlinthError } from '@plinth/base';

/** QEMU's control channel (QMP, docs/interop/qmp-spec in QEMU). */
export interface Monitor {
  /** Runs one command and gives what it returned. @throws vm/monitor */
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/** connectInFolder connects to a unix socket by a short path, however deep its folder lies (unix(7): 107 bytes). */
export async function connectInFolder(folder: string, name: string): Promise<Socket> {
  const handle: FileHandle = await open(folder, 'r');
  try {
    const socket = createConnection(`/proc/self/fd/${handle.fd}/${name}`);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return socket;
  } finally {
    await handle.close();
  }
}

/**
 * withMonitor connects to a machine's monitor, hands it to `work` and closes it again.
 * @param timeoutMs for each answer
 * @throws vm/monitor when QEMU does not answer, refuses, or goes away
 */
export async function withMonitor<T>(
  folder: string,
  socketName: string,
  timeoutMs: number,
  work: (monitor: Monitor) => Promise<T>,
): Promise<T> {
  const socket = await connectInFolder(folder, socketName).catch((reason) => {
    throw PlinthError.from(reason, 'vm/monitor', 'Cannot connect to the monitor of QEMU');
  });
  try {
    const answers = readAnswers(socket);
    const next = (what: string) => within(answers.next(), timeoutMs, what);
    const monitor: Monitor = {
      async execute(command, args = {}) {
        socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
        const { value } = await next(command);
        if (isObject(value) && 'return' in value) return value['return'];
        const error =
          isObject(value) && isObject(value['error']) ? value['error']['desc'] : 'connection closed';
        throw new PlinthError('vm/monitor', `Cannot run ${command} in QEMU: ${String(error)}`);
      },
    };
    await next('greeting');
    await monitor.execute('qmp_capabilities');
    return await work(monitor);
  } finally {
    socket.destroy();
  }
}

/** Messages of QEMU one by one, without the events, which come unasked. */
async function* readAnswers(socket: Socket): AsyncGenerator<unknown, undefined> {
  socket.on('error', () => {
    // The stream of lines ends with it, and that is how it is noticed.
  });
  for await (const line of createInterface({ input: socket })) {
    const message: unknown = JSON.parse(line);
    if (isObject(message) && !('event' in message)) yield message;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

async function within<T>(answer: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new PlinthError('vm/monitor', `Cannot run ${what} in QEMU: no answer within ${timeoutMs} ms`, {
          retryable: true,
        }),
      );
    }, timeoutMs);
  });
  try {
    return await Promise.race([answer, expired]);
  } finally {
    clearTimeout(timer);
  }
}
