import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import { PlinthError } from '@plinth/base';
import { isErrno } from '@plinth/host';

/**
 * choosePort gives the port on the loopback address that a machine's API will have: the wanted one if it is free, any
 * free one for 0.
 * @throws vm/port-taken naming the program that listens on it
 */
export async function choosePort(wanted: number): Promise<number> {
  const server = createServer();
  try {
    return await new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : wanted);
      });
    });
  } catch (reason) {
    if (!isErrno(reason, 'EADDRINUSE') && !isErrno(reason, 'EACCES')) throw reason;
    throw await portTaken(wanted, reason);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function portTaken(port: number, cause: NodeJS.ErrnoException): Promise<PlinthError> {
  if (cause.code === 'EACCES') {
    return new PlinthError(
      'vm/port-taken',
      `Cannot use port ${port}: this user may not open it, expected 1024 or above`,
    );
  }
  const who = await findListener(port);
  const holder = who ? `process ${who.pid} (${who.command})` : 'a program of another user';
  return new PlinthError(
    'vm/port-taken',
    `Cannot use port ${port}: ${holder} listens on it, expected it to be free`,
    {
      details: who ? { port, holderPid: who.pid } : { port },
      cause,
    },
  );
}

/** findListener finds the process that listens on a TCP port of this computer, where this user may see it. */
export async function findListener(port: number): Promise<{ pid: number; command: string } | undefined> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const inodes = new Set(tables.flatMap((table) => listeningInodes(table, port)));
  if (inodes.size === 0) return undefined;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) {
        const command = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
        return { pid: Number(pid), command };
      }
    }
  }
  return undefined;
}

/** listeningInodes reads the socket inodes that listen on a port from the text of /proc/net/tcp or tcp6 (proc(5)). */
export function listeningInodes(table: string, port: number): string[] {
  const LISTEN = '0A';
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local, , state] = fields;
    const inode = fields[9];
    return local?.endsWith(suffix) && state === LISTEN && inode !== undefined ? [inode] : [];
  });
}
