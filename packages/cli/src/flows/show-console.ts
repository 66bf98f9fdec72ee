import { readFile } from 'node:fs/promises';
import { ioError } from '@plinth/host';
import { consolePath, findMachine, findRunningMachine, followConsole, openConsole } from '@plinth/local';
import type { CommandContext } from '../framework/context.ts';

/** What telnet and virsh use too. */
const LEAVE = 0x1d;

export interface ConsoleOptions {
  readonly attach: boolean;
  readonly dump: boolean;
}

/**
 * showConsole prints a machine's console as it is, until the machine ends or the reader leaves.
 * @throws vm/not-found, vm/not-running
 */
export async function showConsole(
  name: string,
  options: ConsoleOptions,
  { signal, writeOut }: CommandContext,
): Promise<void> {
  if (options.dump) {
    await findMachine(name);
    const path = consolePath(name);
    writeOut(await readFile(path, 'utf8').catch((reason) => Promise.reject(ioError(reason, `read ${path}`))));
    return;
  }
  const leaving = new AbortController();
  const stop = AbortSignal.any([signal, leaving.signal]);
  const detach = options.attach ? await attachKeyboard(name, () => leaving.abort()) : undefined;
  try {
    for await (const chunk of followConsole(await findRunningMachine(name), stop)) writeOut(chunk);
  } finally {
    detach?.();
  }
}

/** Sends raw keys to the machine; returns how to give the keyboard back. */
async function attachKeyboard(name: string, leave: () => void): Promise<() => void> {
  const socket = await openConsole(name);
  const { stdin } = process;
  const forward = (keys: Buffer) => {
    if (keys.includes(LEAVE)) leave();
    else socket.write(keys);
  };
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', forward);
  // The console file shows what the machine prints; here it would be shown twice.
  socket.resume();
  socket.once('close', leave);
  return () => {
    stdin.off('data', forward);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
    socket.destroy();
  };
}
