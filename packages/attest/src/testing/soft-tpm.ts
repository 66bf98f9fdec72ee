import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { concatBytes, fromHex } from '@plinth/formats';
import type { Toolbox } from '@plinth/toolbox';
import type { Transmit } from '../tpm/command.ts';
import { type Tpm, tpmOver } from '../tpm/tpm.ts';
import { u16, u32 } from '../tpm/tpm-writer.ts';

/** A TPM in software (swtpm), new each time, and gone at the end. */
export interface SoftTpm extends AsyncDisposable {
  readonly tpm: Tpm;
  transmit(command: Uint8Array): Promise<Uint8Array>;
  /** Measures a digest into a register of the SHA-256 bank, as firmware and systemd do. */
  extend(pcr: number, sha256: string): Promise<void>;
}

/** startSoftTpm starts swtpm of the toolbox and turns it on, as firmware does at a start. */
export async function startSoftTpm(toolbox: Toolbox): Promise<SoftTpm> {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-tpm-'));
  const { program, args, env } = toolbox.command(
    'swtpm',
    [
      ...['socket', '--tpm2', '--tpmstate', 'dir=/mnt/tpm', '--flags', 'not-need-init,startup-clear'],
      ...['--server', 'type=unixio,path=/mnt/tpm/sock', '--ctrl', 'type=unixio,path=/mnt/tpm/ctrl'],
    ],
    { binds: [{ host: folder, inside: '/mnt/tpm' }] },
  );
  const child = spawn(program, [...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const socket = await dial(join(folder, 'sock'));
  let last: Promise<unknown> = Promise.resolve();
  const transmit = (command: Uint8Array): Promise<Uint8Array> => {
    const answer = last.then(() => exchange(socket, command));
    last = answer.catch(() => {});
    return answer;
  };
  return {
    transmit,
    tpm: tpmOver(transmit),
    extend: (pcr, sha256) => extend(transmit, pcr, sha256),
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const PCR_EXTEND = 0x0182;
const EMPTY_PASSWORD = concatBytes([u32(9), u32(0x4000_0009), new Uint8Array(5)]);

/** TPM2_PCR_Extend; a part of tests only, for nothing in Plinth measures by itself. */
async function extend(transmit: Transmit, pcr: number, sha256: string): Promise<void> {
  const digest = fromHex(sha256) ?? new Uint8Array();
  const body = concatBytes([u32(pcr), EMPTY_PASSWORD, u32(1), u16(0x000b), digest]);
  const answer = await transmit(concatBytes([u16(0x8002), u32(10 + body.length), u32(PCR_EXTEND), body]));
  if (Buffer.from(answer).readUInt32BE(6) !== 0) throw new Error(`swtpm did not extend PCR ${pcr}`);
}

async function dial(path: string): Promise<Socket> {
  for (let attempt = 0; ; attempt++) {
    const socket = connect(path);
    const outcome = await new Promise<Error | undefined>((resolve) => {
      socket.once('connect', () => resolve(undefined));
      socket.once('error', resolve);
    });
    if (!outcome) return socket;
    if (attempt > 200) throw outcome;
    await sleep(50);
  }
}

/** One command, one answer: the answer's header tells its length. */
function exchange(socket: Socket, command: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    let got = Buffer.alloc(0);
    const finish = (act: () => void) => {
      socket.off('data', take);
      socket.off('close', lost);
      act();
    };
    const lost = () => finish(() => reject(new Error('swtpm closed the connection')));
    const take = (piece: Buffer) => {
      got = Buffer.concat([got, piece]);
      if (got.length >= 10 && got.length >= got.readUInt32BE(2)) finish(() => resolve(new Uint8Array(got)));
    };
    socket.on('data', take);
    socket.once('close', lost);
    socket.write(command);
  });
}
