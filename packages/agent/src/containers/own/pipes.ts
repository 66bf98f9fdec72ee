import { constants, open as openFile } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inTurn } from '../../in-turn.ts';
import type { StateStore } from '../../sys/state-store.ts';
import type { Sys } from '../../sys/sys.ts';
import { runTmpfiles } from '../../sys/tmpfiles.ts';

const open = promisify(openFile);

/** Makes the two pipes of a container in a folder that is there: stdin and stdout. */
export type MakePipes = (folder: string) => Promise<void>;

/** The plinthd end of what a container reads and writes. */
export interface ContainerPipes {
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

/** tmpfilesPipes makes them on the node. @param config name of its settings in the store */
export function tmpfilesPipes(
  sys: Pick<Sys, 'run'>,
  store: Pick<StateStore, 'write'>,
  config: string,
): MakePipes {
  // Two containers that start together have one name for their settings.
  const making = inTurn();
  return (folder) =>
    making(() =>
      runTmpfiles(sys, store, {
        name: config,
        text: ['stdin', 'stdout'].map((name) => `p+ ${folder}/${name} 0600 root root\n`).join(''),
        task: 'make the pipes of a container',
        code: 'containers/failed',
      }),
    );
}

/**
 * openPipes opens the plinthd end of both pipes before the container has its own. When this process ends, the terminal does:
 * the container sees the end of its input.
 */
export async function openPipes(folder: string): Promise<ContainerPipes> {
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
