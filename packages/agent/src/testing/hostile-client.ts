// A program of hostile-clients.ts, run in the network of an isolated plinthd. What to do comes on the standard input; what
// came of it goes to the standard output as JSON. It then keeps its connections until its input ends.
import { randomBytes } from 'node:crypto';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { connect as connectTls } from 'node:tls';
import { nodeApiPort } from '@plinth/api';
import type { HostileOrder } from './hostile-clients.ts';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const first = await lines.next();
const order: HostileOrder = JSON.parse(String(first.value));
const held: (Socket | ClientHttp2Session)[] = [];

const work: Readonly<Record<HostileOrder['what'], () => Promise<unknown>>> = {
  /** Connections that ask one thing and then nothing. */
  idle: async () => {
    const results = await batches(order.count, 20, async (index) => {
      const session = open(index);
      return call(session, 'NodeService/GetVersions', Buffer.alloc(0));
    });
    return { results: tally(results), open: held.filter((each) => !each.destroyed).length };
  },
  /** Streams that follow the audit log. */
  streams: async () => {
    const sessions = order.clients.map((_, index) => open(index));
    const began = Array.from({ length: order.count }, async (_, index) => {
      const session = sessions[index % sessions.length];
      if (!session) return 'no session';
      // follow = true: field 3.
      const stream = request(session, 'AuditService/ReadAuditLog', Buffer.from([0x18, 0x01]));
      return new Promise<string>((resolve) => {
        stream.once('data', () => resolve('served'));
        status(stream).then((code) => resolve(`refused ${code}`));
      });
    });
    return { results: tally(await Promise.all(began)) };
  },
  fuzz: async () => {
    const methods = [
      'NodeService/GetVersions',
      'LogsService/ReadLogs',
      'AuditService/ReadAuditLog',
      'AccessService/PutRevocations',
    ];
    const results = await batches(order.count, 4, async (index) => {
      const session = index % 50 === 0 || !held.at(-1) ? open(index) : last();
      return call(session, methods[index % methods.length] ?? '', randomBytes(1 + (index % 300)));
    });
    return { results: tally(results) };
  },
  /** TCP without TLS, and TLS without a word. */
  'half-open': async () => {
    for (let index = 0; index < order.count; index++) {
      const options = { host: '127.0.0.1', port: nodeApiPort };
      const socket =
        index % 2 === 0 ? connectTcp(options) : connectTls({ ...options, rejectUnauthorized: false });
      socket.on('error', () => {});
      held.push(socket);
    }
    return {};
  },
  'half-messages': async () => {
    for (let index = 0; index < order.count; index++) {
      const session = index % 8 === 0 ? open(index / 8) : last();
      const stream = begin(session, 'NodeService/GetVersions');
      stream.on('error', () => {});
      stream.write(envelope(Buffer.alloc(60_000)).subarray(0, 50_000));
    }
    return {};
  },
  /** Calls without pause, eight at a time, for `count` seconds. */
  flood: async () => {
    const session = open(0);
    const until = performance.now() + order.count * 1_000;
    const results: string[] = [];
    const caller = async () => {
      while (performance.now() < until && !session.destroyed)
        results.push(await call(session, 'NodeService/GetVersions', Buffer.alloc(0)));
    };
    await Promise.all(Array.from({ length: 8 }, caller));
    return { results: tally(results) };
  },
  /** A client that does nothing wrong: how long it waits. */
  honest: async () => {
    const times: number[] = [];
    const results: string[] = [];
    for (let count = 0; count < order.count; count++) {
      const beganMs = performance.now();
      const session = open(0);
      results.push(await call(session, 'NodeService/GetVersions', Buffer.alloc(0)));
      times.push(performance.now() - beganMs);
      session.destroy();
    }
    const sorted = times.toSorted((a, b) => a - b);
    return { results: tally(results), p50Ms: sorted[Math.floor(sorted.length / 2)], mostMs: sorted.at(-1) };
  },
  refused: async () => {
    const results = await batches(order.clients.length, 4, async (index) =>
      call(open(index), 'NodeService/GetVersions', Buffer.alloc(0)),
    );
    return { results };
  },
};

process.stdout.write(`${JSON.stringify(await work[order.what]())}\n`);
await lines.next();
process.exit(0);

function open(index: number): ClientHttp2Session {
  const credentials = order.clients[index % order.clients.length];
  const session = connectHttp2('https://127.0.0.1', {
    createConnection: () =>
      connectTls({
        ...{ host: '127.0.0.1', port: nodeApiPort, rejectUnauthorized: false, ALPNProtocols: ['h2'] },
        ...(credentials && { cert: credentials.certificatePem, key: credentials.keyPem }),
      }),
  });
  session.on('error', () => {});
  held.push(session);
  return session;
}

function last(): ClientHttp2Session {
  const session = held.findLast((each) => 'request' in each && !each.destroyed);
  return session && 'request' in session ? session : open(0);
}

function begin(
  session: ClientHttp2Session,
  method: string,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  return session.request({
    ...headers,
    ':method': 'POST',
    ':path': `/plinth.node.v1.${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
}

function request(
  session: ClientHttp2Session,
  method: string,
  message: Buffer,
  headers: Readonly<Record<string, string>> = {},
): ClientHttp2Stream {
  const stream = begin(session, method, headers);
  stream.end(envelope(message));
  return stream;
}

async function call(session: ClientHttp2Session, method: string, message: Buffer): Promise<string> {
  try {
    // Noise may be a whole message, and ask for a stream that does not end by itself.
    const stream = request(session, method, message, { 'grpc-timeout': '10S' });
    stream.resume();
    return await status(stream);
  } catch (reason) {
    return String(reason);
  }
}

function status(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve) => {
    let code = '';
    const note = (headers: Readonly<Record<string, unknown>>) => {
      code =
        headers['grpc-status'] === undefined
          ? code
          : `grpc ${headers['grpc-status']} ${headers['grpc-message'] ?? ''}`;
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('error', (reason) => resolve(code || reason.message));
    stream.on('close', () => resolve(code || 'closed'));
  });
}

function envelope(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function tally(results: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const each of results) {
    const key = /^grpc \d+/.exec(each)?.[0] ?? each.slice(0, 40);
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

async function batches(
  count: number,
  most: number,
  run: (index: number) => Promise<string>,
): Promise<string[]> {
  const results: string[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await run(index);
    }
  };
  await Promise.all(Array.from({ length: most }, worker));
  return results;
}
