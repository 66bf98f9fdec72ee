import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { choosePort, findListener, listeningInodes } from './port.ts';

async function listen() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return { port: address.port, close: () => new Promise((resolve) => server.close(resolve)) };
}

test('choosePort gives a wanted port that is free, and any free one for 0', async () => {
  const { port, close } = await listen();
  await close();
  assert.equal(await choosePort(port), port);
  assert.ok((await choosePort(0)) > 0);
});

test('choosePort names the process that has the port', async () => {
  const { port, close } = await listen();
  try {
    assert.equal((await findListener(port))?.pid, process.pid);
    await assert.rejects(
      choosePort(port),
      (error) =>
        error instanceof PlinthError &&
        error.code === 'vm/port-taken' &&
        error.message.includes(`process ${process.pid} `),
    );
  } finally {
    await close();
  }
});

test('listeningInodes takes listening sockets of that port only', () => {
  const row = (local: string, remote: string, state: string, inode: number) =>
    `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0`;
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    row('0100007F:1D7A', '00000000:0000', '0A', 11),
    row('0100007F:1D7A', '0100007F:9999', '01', 12),
    row('0100007F:1D7B', '00000000:0000', '0A', 13),
    row('0100007F:9999', '0100007F:1D7A', '0A', 14),
  ].join('\n');
  assert.deepEqual(listeningInodes(table, 7546), ['11']);
});
