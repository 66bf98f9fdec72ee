import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { test } from 'node:test';
import type { SocketProtocol } from '../kernel/socket-table.ts';
import { judgeSockets, openSocket } from './listening-sockets.ts';

const openSockets = (table: string, protocol: SocketProtocol) =>
  table.split('\n').flatMap((line) => openSocket(line, protocol));

const row = (local: string, remote: string, state: string) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 11 1 0 100 0 0 10 0`;

test('openSocket takes listening TCP sockets that others can reach', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    row('00000000:1D7A', '00000000:0000', '0A'),
    row('3500007F:0035', '00000000:0000', '0A'),
    row('0F02000A:1D7A', '0202000A:9999', '01'),
    row('00000000000000000000000001000000:0050', '00000000000000000000000000000000:0000', '0A'),
    row('0000000000000000FFFF00000100007F:0051', '00000000000000000000000000000000:0000', '0A'),
    row('00000000000000000000000000000000:14EB', '00000000000000000000000000000000:0000', '0A'),
  ].join('\n');
  assert.deepEqual(
    openSockets(table, 'tcp').map(({ port }) => port),
    [7546, 5355],
  );
});

test('openSocket takes UDP sockets that have no partner', () => {
  const table = [row('0F02000A:0044', '00000000:0000', '07'), row('0F02000A:D431', '01010101:007B', '01')];
  assert.deepEqual(openSockets(table.join('\n'), 'udp'), [{ protocol: 'udp', port: 68 }]);
});

test('openSocket sees the sockets of this very process in the tables of the kernel', async () => {
  const server = createServer();
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  await new Promise<void>((resolve) => socket.bind(0, '0.0.0.0', resolve));
  try {
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const seen = async (protocol: 'tcp' | 'udp') =>
      openSockets(await readFile(`/proc/net/${protocol}`, 'utf8'), protocol).map(({ port }) => port);
    assert.ok((await seen('tcp')).includes(address.port));
    assert.ok((await seen('udp')).includes(socket.address().port));
  } finally {
    server.close();
    socket.close();
  }
});

test('judgeSockets passes the API and a DHCP client, and nothing else', () => {
  const api = { protocol: 'tcp', port: 7546 } as const;
  assert.equal(judgeSockets([api, { protocol: 'udp', port: 68 }], false).verdict, 'pass');
  const shell = judgeSockets([api, { protocol: 'tcp', port: 22 }], true);
  assert.deepEqual([shell.verdict, shell.observed], ['fail', 'also open: tcp 22']);
  assert.equal(judgeSockets([api, { protocol: 'udp', port: 5355 }], false).verdict, 'fail');
  assert.equal(judgeSockets([], false).verdict, 'fail');
});

test('judgeSockets knows the ports of Kubernetes where a layer is merged, and only there', () => {
  const api = { protocol: 'tcp', port: 7546 } as const;
  for (const socket of [
    { protocol: 'tcp', port: 10250 },
    { protocol: 'tcp', port: 6443 },
    { protocol: 'udp', port: 8472 },
    { protocol: 'tcp', port: 30_000 },
    { protocol: 'tcp', port: 32_767 },
  ] as const) {
    assert.equal(judgeSockets([api, socket], true).verdict, 'pass', `${socket.port}`);
    assert.equal(judgeSockets([api, socket], false).verdict, 'fail', `${socket.port}`);
  }
  // The kubelet's port without authentication, and what lies beside the range.
  for (const port of [10255, 29_999, 32_768])
    assert.equal(judgeSockets([api, { protocol: 'tcp', port }], true).verdict, 'fail', `${port}`);
});
