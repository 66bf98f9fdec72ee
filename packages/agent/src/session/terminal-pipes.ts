import { constants, open as openFile } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PlinthError } from '@plinth/base';
import { SYSTEMD_TMPFILES } from '../kubernetes/layers/choose-layer.ts';
import type { StateStore } from '../sys/state-store.ts';
import type { Sys } from '../sys/sys.ts';

const open = promisify(openFile);

/** Makes the two pipes of a terminal in a folder that is there: stdin and stdout. */
export type MakePipes = (folder: string) => Promise<void>;

/** The plinthd end of a terminal. */
export interface TerminalPipes {
  /** Path of what the container reads. */
  readonly stdin: string;
  /** Path of what it writes. */
  readonly stdout: string;
  /** What is shown, as it comes. */
  readonly output: AsyncIterable<Buffer>;
  /** Types; fulfilled when the container's side has room for more. */
  type(bytes: Uint8Array): Promise<void>;
  close(): void;
}

/**
 * tmpfilesPipes makes them with systemd-tmpfiles: the runtime makes no pipes with names, and the node has no mkfifo.
 * @param config name of its file in the store
 */
export function tmpfilesPipes(
  sys: Pick<Sys, 'run'>,
  store: Pick<StateStore, 'write'>,
  stateFolder: string,
  config: string,
): MakePipes {
  return async (folder) => {
    const lines = ['stdin', 'stdout'].map((name) => `p+ ${folder}/${name} 0600 root root\n`);
    await store.write(config, Buffer.from(lines.join('')));
    const { exitCode, stderr } = await sys.run(SYSTEMD_TMPFILES, ['--create', join(stateFolder, config)]);
    if (exitCode === 0) return;
    throw new PlinthError(
      'session/failed',
      `Cannot make pipes: systemd-tmpfiles ended with ${exitCode}: ${stderr.trim().slice(-300)}, expected two of them`,
    );
  };
}

/**
 * openPipes opens the plinthd end of both pipes before the container has its own. When this process ends, the terminal does:
 * the container sees the end of its input.
 */
export async function openPipes(folder: string): Promise<TerminalPipes> {
  const stdin = join(folder, 'stdin');
  const stdout = join(folder, 'stdout');
  // Without O_NONBLOCK it would wait for the other side; for writing alone it would be refused as long as nobody reads.
  const reading = new Socket({
    fd: await open(stdout, constants.O_RDONLY | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  });
  const writing = new Socket({
    fd: await open(stdin, constants.O_RDWR | constants.O_NONBLOCK),
    readable: false,
    writable: true,
  });
  for (const each of [reading, writing]) each.on('error', () => each.destroy());
  return {
    ...{ stdin, stdout, output: reading },
    type: (bytes) =>
      new Promise((resolve) => {
        if (writing.destroyed || writing.write(bytes)) return resolve();
        const go = () => {
          writing.off('drain', go).off('close', go);
          resolve();
        };
        writing.on('drain', go).on('close', go);
      }),
    close() {
      reading.destroy();
      writing.destroy();
    },
  };
}
