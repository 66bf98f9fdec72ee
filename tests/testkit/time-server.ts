import { createSocket } from 'node:dgram';
import { once } from 'node:events';

/** Of NTP's clock (1900) to that of Unix, in seconds (RFC 5905, section 6). */
const ERA_OFFSET_SECONDS = 2_208_988_800;
const PACKET_BYTES = 48;
const PORT = 123;

/**
 * openTimeServer answers SNTP (RFC 4330) with the time of this computer, on its loopback address: there a machine finds it at
 * the address of its host. Asking for the port takes rights of root; undefined where this computer does not give it.
 */
export async function openTimeServer(): Promise<AsyncDisposable | undefined> {
  const socket = createSocket('udp4');
  socket.on('message', (request, { address, port }) => {
    if (request.length < PACKET_BYTES) return;
    const answer = Buffer.alloc(PACKET_BYTES);
    // No leap second announced, version 4, mode "server"; a clock that others follow.
    answer.writeUInt8((4 << 3) | 4, 0);
    answer.writeUInt8(2, 1);
    answer.writeUInt8(6, 2);
    answer.writeInt8(-20, 3);
    answer.write('LOCL', 12, 'latin1');
    writeStamp(answer, 16);
    // What the client sent as its own time: it knows by it that this is the answer to its question.
    request.copy(answer, 24, 40, 48);
    writeStamp(answer, 32);
    writeStamp(answer, 40);
    socket.send(answer, port, address);
  });
  try {
    socket.bind(PORT, '127.0.0.1');
    await once(socket, 'listening');
  } catch {
    socket.close();
    return undefined;
  }
  return {
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function writeStamp(packet: Buffer, at: number): void {
  const nowMs = Date.now();
  packet.writeUInt32BE(Math.floor(nowMs / 1000) + ERA_OFFSET_SECONDS, at);
  packet.writeUInt32BE(Math.floor(((nowMs % 1000) / 1000) * 2 ** 32), at + 4);
}
