import { runProgram } from './sys/node-sys.ts';

export const SYSTEMD_NOTIFY = '/usr/bin/systemd-notify';

/**
 * notifyReady tells systemd that the service is up, through a child because Node has no datagram sockets of the
 * Unix family. Without a socket in the environment nobody waits for the word.
 * @param socket value of NOTIFY_SOCKET, the one variable of the environment that plinthd obeys
 */
export async function notifyReady(socket: string | undefined, status: string): Promise<void> {
  if (!socket || !/^[/@]/.test(socket)) return;
  const result = await runProgram(SYSTEMD_NOTIFY, ['--ready', `--status=${status}`], {
    NOTIFY_SOCKET: socket,
  });
  if (result.exitCode !== 0)
    throw new Error(`systemd-notify ended with ${result.exitCode}: ${result.stderr.trim()}`);
}
