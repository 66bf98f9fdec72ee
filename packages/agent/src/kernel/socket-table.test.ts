import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, isIPv6, type Socket } from 'node:net';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatAddress, parseSocketLine, SOCKET_TABLES, type SocketEntry } from './socket-table.ts';

function table(): SocketEntry[] {
  return SOCKET_TABLES.flatMap(([protocol, path]) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .flatMap((line) => parseSocketLine(line, protocol) ?? []),
  );
}

test('parseSocketLine agrees with ss about sockets of this process, of all states', async () => {
  const server = createServer(() => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const six = createServer(() => {});
  await new Promise<void>((resolve) => six.listen(0, '::1', resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const clients: Socket[] = [connect(address.port, '127.0.0.1'), connect(address.port, '127.0.0.1')];
  try {
    for (const client of clients) await once(client, 'connect');
    const states: Readonly<Record<string, string>> = { LISTEN: 'LISTEN', ESTAB: 'ESTABLISHED' };
    const said = execFileSync('ss', ['-H', '-n', '-t', '-a', '-e'], { encoding: 'utf8' });
    const seen = new Map(table().map((entry) => [entry.inode, entry]));
    let compared = 0;
    for (const line of said.split('\n')) {
      const [state = '', , , local = '', remote = ''] = line.trim().split(/\s+/);
      const entry = seen.get(Number(/\bino:(\d+)/.exec(line)?.[1] ?? -1));
      const word = states[state];
      // Others' sockets come and go between the two looks.
      if (!entry || word === undefined || entry.state !== word) continue;
      const text = (ip: string, port: number) => `${isIPv6(ip) ? `[${ip}]` : ip}:${port || '*'}`;
      // ss leaves out the link of an address, and writes "any address of both families" as a star.
      assert.equal(
        local.replace(/%[^:\]]+/, '').replace(/^\*/, '[::]'),
        text(entry.localAddress, entry.localPort),
      );
      assert.equal(
        remote.replace(/%[^:\]]+/, '').replace(/^\*/, '[::]'),
        text(entry.remoteAddress, entry.remotePort),
      );
      compared++;
    }
    assert.ok(compared >= 6, `${compared} were compared`);
  } finally {
    for (const client of clients) client.destroy();
    server.close();
    six.close();
  }
});

test('formatAddress writes each address as the URL standard writes it', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc
          .array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 })
          .map((bytes) => Uint8Array.from(bytes)),
      ),
      (bytes) => {
        const text = formatAddress(bytes);
        const canonical = (address: string) => new URL(`http://[${address}]/`).hostname;
        const plain = Buffer.from(bytes).toString('hex').match(/.{4}/g)?.join(':') ?? '';
        assert.equal(canonical(text), canonical(plain));
        if (!text.includes('.')) assert.equal(`[${text}]`, canonical(plain));
      },
    ),
  );
  assert.equal(formatAddress(Uint8Array.of(192, 0, 2, 7)), '192.0.2.7');
  assert.equal(formatAddress(new Uint8Array(16)), '::');
});

test('parseSocketLine takes any line, and each number of a state', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (line) => {
      parseSocketLine(line, 'tcp');
    }),
  );
  const row = (state: string) =>
    `  0: 0100007F:0050 00000000:0000 ${state} 00000005:00000007 00:0 0 991 0 42 1 0`;
  assert.equal(parseSocketLine(row('0D'), 'tcp'), undefined);
  assert.equal(parseSocketLine(row('00'), 'tcp'), undefined);
  assert.deepEqual(parseSocketLine(row('06'), 'tcp'), {
    ...{
      protocol: 'tcp',
      state: 'TIME_WAIT',
      localAddress: '127.0.0.1',
      localPort: 80,
      remoteAddress: '0.0.0.0',
    },
    ...{ remotePort: 0, sendQueue: 5, receiveQueue: 7, uid: 991, inode: 42 },
  });
});
