import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type CapturedPacket, openPcapngReader, type PcapngSummary } from '@plinth/formats';
import { eventually } from '@plinth/host/testing';
import { findGoComponent } from './build-go-component.ts';
import { loadGoComponents } from './go-component.ts';
import { readGoToolchainKey } from './go-tools.ts';

// The compiled program in a network of its own, with packets that the kernel sends. Only where it is compiled already.

const repository = fileURLToPath(new URL('../../../../', import.meta.url));
const component = (await loadGoComponents(join(repository, 'go'))).get('capture');
const key = await readGoToolchainKey(join(repository, 'os'));
const program = (component && (await findGoComponent(component, key)))?.programs.get('plinth-capture') ?? '';
const skip =
  (program === '' && 'plinth-capture is not compiled on this machine') ||
  (process.getuid?.() !== 0 && 'a network of its own needs root');

interface Captured {
  readonly packets: readonly CapturedPacket[];
  readonly summary: PcapngSummary;
  readonly sizeBytes: number;
}

suite('plinth-capture', { skip }, () => {
  let network: ChildProcess;
  const inside = (...command: readonly string[]) => [
    ...['nsenter', '--target', String(network.pid), '--net', '--'],
    ...command,
  ];
  const inNetwork = (...command: readonly string[]) => {
    const [nsenter = '', ...args] = inside(...command);
    return execFileSync(nsenter, args, { stdio: 'pipe' });
  };
  const start = (...options: readonly string[]) => {
    const [nsenter = '', ...args] = inside(program, ...options);
    return spawn(nsenter, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  };

  before(async () => {
    network = spawn('unshare', ['--net', 'sleep', '600'], { stdio: 'ignore' });
    const own = readFileSync('/proc/self/net/dev', 'utf8');
    await eventually(() => {
      const theirs = readFileSync(`/proc/${network.pid}/net/dev`, 'utf8');
      return theirs !== own && !theirs.includes('eth');
    });
    inNetwork('ip', 'link', 'set', 'lo', 'up');
    inNetwork('ip', 'link', 'add', 'a0', 'type', 'veth', 'peer', 'name', 'b0');
    for (const name of ['a0', 'b0']) inNetwork('ip', 'link', 'set', name, 'up');
    inNetwork('ip', 'address', 'add', '192.0.2.1/24', 'dev', 'a0');
  });
  after(() => {
    network.kill('SIGKILL');
  });

  /** Sends one datagram to each "address port text", and opens one connection that is refused. */
  function traffic(...datagrams: readonly string[]): void {
    const script = `
      const dgram = require('node:dgram'), net = require('node:net');
      const sockets = [dgram.createSocket('udp4'), dgram.createSocket('udp6')];
      const send = async (line) => {
        const [address, port, text] = line.split(' ');
        if (text === 'tcp') return new Promise((done) => net.connect(Number(port), address).once('error', done));
        return new Promise((done) => sockets[address.includes(':') ? 1 : 0].send(text, Number(port), address, done));
      };
      (async () => { for (const each of process.argv.slice(1)) await send(each); sockets.map((s) => s.close()); })();`;
    inNetwork(process.execPath, '-e', script, ...datagrams);
  }

  /** It writes its first block once it listens. */
  async function listening({ stdout }: { readonly stdout: Readable }): Promise<void> {
    await eventually(() => stdout.readableLength > 0 || begun.has(stdout));
  }
  const begun = new WeakSet<Readable>();

  async function collect(output: Readable): Promise<Captured> {
    const packets: CapturedPacket[] = [];
    const reader = openPcapngReader((each) => packets.push({ ...each, bytes: each.bytes.slice() }));
    let sizeBytes = 0;
    for await (const piece of output) {
      begun.add(output);
      reader.push(piece);
      sizeBytes += piece.length;
    }
    return { packets, summary: reader.end(), sizeBytes };
  }

  /** Captures while `work` runs. */
  async function capture(options: readonly string[], work: () => void): Promise<Captured> {
    const child = start(...options);
    const captured = collect(child.stdout);
    await listening(child);
    work();
    await sleep(300);
    child.kill('SIGTERM');
    return captured;
  }

  const LINES = [
    ...['127.0.0.1 53 name', '127.0.0.1 99 other', '::1 53 name6', '127.0.0.1 7546 tcp', '127.0.0.1 53 tcp'],
    '::1 53 tcp',
  ];
  /** The kernel asks for an address it has just asked for not again at once. */
  const NEIGHBOURS: Readonly<Record<string, string>> = { arp: '192.0.2.8', 'host 192.0.2.9': '192.0.2.9' };
  const text = ({ bytes }: CapturedPacket) => Buffer.from(bytes).toString('latin1');
  /** What a packet is, read from its bytes: link, network and transport header. */
  const kindOf = ({ bytes }: CapturedPacket) => {
    const ether = (bytes[12] ?? 0) * 256 + (bytes[13] ?? 0);
    if (ether === 0x0806) return 'arp';
    const [version, protocol] = ether === 0x0800 ? ['4', bytes[23]] : ['6', bytes[20]];
    const names: Readonly<Record<number, string>> = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'icmp' };
    return `${names[protocol ?? 0] ?? protocol}${version}`;
  };

  test('each filter lets pass what it says, and nothing else', async () => {
    for (const [filter, expected] of [
      ['udp', ['udp4', 'udp6']],
      ['tcp', ['tcp4', 'tcp6']],
      ['icmp and host 127.0.0.1', ['icmp4']],
      ['udp and port 53', ['udp4', 'udp6']],
      ['port 53', ['udp4', 'udp6', 'tcp4', 'tcp6']],
      ['port 53 and not udp', ['tcp4', 'tcp6']],
      ['not tcp and not icmp and ip', ['udp4']],
      ['host ::1 and not icmp', ['udp6', 'tcp6']],
      ['host ::2', []],
      ['arp', ['arp']],
      ['host 192.0.2.9', ['arp']],
      ['ip6 and port 53', ['udp6', 'tcp6']],
    ] as const) {
      const { packets, summary } = await capture(['--seconds=60', `--filter=${filter}`], () =>
        traffic(...LINES, `${NEIGHBOURS[filter] ?? '192.0.2.7'} 53 unanswered`),
      );
      assert.deepEqual(new Set(packets.map(kindOf)), new Set(expected), filter);
      if (filter === 'udp and port 53') {
        assert.deepEqual(
          packets.map((each) => text(each).match(/(name6?|other)$/)?.[1]),
          ['name', 'name6'],
          'once each, though the loopback shows them twice',
        );
        const [first] = packets;
        assert.ok(first && Math.abs(Number(first.time / 1_000_000n) - Date.now()) < 60_000);
      }
      assert.equal(summary.comment, 'ended: signal');
      assert.equal(summary.dropped, 0);
    }
  });

  test('one interface shows its packets only; with the port of the API left out nothing of it is there', async () => {
    const only = await capture(['--seconds=60', '--interface=a0'], () =>
      traffic(...LINES, '192.0.2.6 53 unanswered'),
    );
    assert.deepEqual(
      only.summary.interfaces.map(({ name, linkType }) => [name, linkType]),
      [['a0', 1]],
    );
    const without = await capture(['--seconds=60', '--filter=tcp', '--without-port=7546'], () =>
      traffic(...LINES),
    );
    const ports = without.packets.map(({ bytes }) => Buffer.from(bytes).toString('hex'));
    assert.ok(ports.length >= 4);
    assert.ok(ports.every((hex) => !hex.includes((7546).toString(16))));
  });

  test('it ends at its limits: packets, size, what is kept of a packet', async () => {
    const many = () => traffic(...Array.from({ length: 60 }, () => `127.0.0.1 99 ${'x'.repeat(500)}`));
    const count = await capture(['--seconds=20', '--packets=3', '--filter=udp', '--snap=64'], many);
    assert.equal(count.summary.comment, 'ended: packets');
    assert.deepEqual(
      count.packets.map(({ bytes, lengthBytes }) => [bytes.length, lengthBytes]),
      Array(3).fill([64, 542]),
    );
    const size = await capture(['--seconds=20', '--bytes=8192', '--filter=udp'], many);
    assert.equal(size.summary.comment, 'ended: size');
    assert.ok(size.sizeBytes <= 8192 && size.sizeBytes > 6000, String(size.sizeBytes));
  });

  test('it ends when nobody reads, also when there is no packet', async () => {
    const child = start('--seconds=600', '--filter=host 198.51.100.77');
    await listening(child);
    child.stdout.destroy();
    await eventually(() => assert.equal(child.exitCode, 0));
  });

  test('a slow reader loses packets, which are counted, and memory does not grow', async () => {
    const child = start('--seconds=120', '--bytes=268435456', '--filter=udp');
    await listening(child);
    const sent = 30_000;
    const script = `
      const s = require('node:dgram').createSocket('udp4'); const b = Buffer.alloc(1400);
      const next = (n) => n === 0 ? s.close() : s.send(b, 99, '127.0.0.1', () => next(n - 1)); next(${sent});`;
    inNetwork(process.execPath, '-e', script);
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    const peakKiB = Number(/VmHWM:\s*(\d+)/.exec(status)?.[1]);
    assert.ok(peakKiB > 0 && peakKiB < 40 * 1024, `${peakKiB} KiB`);
    child.kill('SIGTERM');
    const { packets, summary } = await collect(child.stdout);
    assert.ok(summary.dropped > 1_000, String(summary.dropped));
    assert.equal(packets.length + summary.dropped, sent);
  });

  test('what it does not understand it says, with the exit codes plinthd knows', () => {
    const tried = (...options: readonly string[]) => {
      const [nsenter = '', ...args] = inside(program, ...options);
      const { status, stdout, stderr } = spawnSync(nsenter, args, { encoding: 'utf8', timeout: 10_000 });
      assert.equal(stdout, '');
      return [status, stderr] as const;
    };
    for (const filter of [
      'x',
      'tcp udp',
      'tcp and',
      'not',
      'port',
      'port 0',
      'port 65536',
      'host a',
      'host fe80::1%lo',
      'and tcp',
      'or',
      Array(17).fill('tcp').join(' and '),
    ]) {
      const [status, stderr] = tried(`--filter=${filter}`);
      assert.equal(status, 2, filter);
      assert.match(stderr, /^plinth-capture: filter: /);
    }
    assert.equal(tried('--bytes=1')[0], 2);
    assert.equal(tried('--nonsense')[0], 2);
    const [status, stderr] = tried('--interface=nothere');
    assert.equal(status, 3);
    assert.match(stderr, /^plinth-capture: find the interface "nothere"/);
  });
});
