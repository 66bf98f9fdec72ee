import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { timeServer } from './get-time.ts';
import { purposeOf } from './list-certificates.ts';
import { diskTransport, parseTraffic } from './list-disks.ts';
import { parseService } from './list-services.ts';
import { parseOwner } from './list-sockets.ts';
import { linkPath, parseLinkScope, parseResolver } from './name-resolution.ts';
import { parseLinks, parseLldp, parseManager, parseNeighbours, parseRoutes } from './parse-network.ts';
import { mappedKind } from './read-volumes.ts';
import { showCommand, splitCommandLine } from './show-command.ts';
import * as recorded from './testing/recorded-answers.ts';
import { durationFromUs } from './times.ts';

test('parseService reads what systemctl shows, and says nothing of what is not counted', () => {
  const [running = '', exited = ''] = recorded.SYSTEMCTL_SHOW.split('\n\n');
  const service = parseService(running, Date.UTC(2026, 10, 21));
  assert.deepEqual(
    [service?.name, service?.activeState, service?.subState, service?.mainPid, service?.memoryBytes],
    ['containerd.service', 'active', 'running', 128, undefined],
  );
  assert.deepEqual([service?.cpuTime?.seconds, service?.cpuTime?.nanos], [6n, 4_527_000]);
  assert.equal(service?.since?.seconds, BigInt(Date.UTC(2026, 10, 21) / 1000 + 26_530));
  assert.equal(parseService(exited, 0)?.cgroup, '');
  assert.equal(parseService('ActiveState=active', 0), undefined);
  const killed = parseService('Id=a\nMemoryCurrent=42\nResult=signal\nExecMainCode=2\nExecMainStatus=9', 0);
  assert.deepEqual([killed?.memoryBytes, killed?.bySignal, killed?.exitStatus], [42n, true, 9]);
  assert.equal(parseService('Id=a\nMemoryCurrent=18446744073709551615', 0)?.memoryBytes, undefined);
});

test('links, routes and neighbours are read from what ip writes', () => {
  const [link] = parseLinks(JSON.parse(recorded.IP_ADDR));
  assert.deepEqual([link?.name, link?.kind, link?.state, link?.mtu], ['eth0', 'veth', 'up', 1500]);
  assert.deepEqual(
    link?.addresses.map(({ cidr, scope }) => `${cidr} ${scope}`),
    ['192.0.2.7/24 global', 'fe80::9c1a:58ff:fe61:21b0/64 link'],
  );
  const routes = parseRoutes(JSON.parse(recorded.IP_ROUTES), 'inet');
  assert.deepEqual(
    routes.map(({ destination, gateway, device }) => [destination, gateway, device]),
    [
      ['default', '192.0.2.1', 'eth0'],
      ['192.0.2.0/24', '', 'eth0'],
    ],
  );
  assert.ok(
    parseRoutes(JSON.parse(recorded.IP_ROUTES_6), 'inet6').every(
      ({ destination }) => destination === 'fe80::/64',
    ),
  );
  const [several, nowhere] = parseRoutes(
    [
      {
        dst: 'default',
        metric: 1,
        nexthops: [
          { gateway: '192.0.2.1', dev: 'a' },
          { via: { host: 'fe80::1' }, dev: 'b' },
        ],
      },
      { type: 'blackhole', dst: '10.0.0.0/8', table: 200 },
    ],
    'inet',
  );
  assert.deepEqual([several?.gateway, several?.device], ['192.0.2.1 fe80::1', 'a b']);
  assert.deepEqual([nowhere?.type, nowhere?.table, nowhere?.device], ['blackhole', '200', '']);
  const [silent, known] = parseNeighbours(JSON.parse(recorded.IP_NEIGH));
  assert.deepEqual([silent?.mac, silent?.state, known?.mac], ['', 'FAILED', '9e:1a:58:61:21:b0']);
});

test('settings of links and LLDP neighbours are read from what networkctl writes', () => {
  const setup = parseManager(JSON.parse(recorded.NETWORKCTL_STATUS)).get('eth0');
  assert.deepEqual(
    [setup?.setup, setup?.driver, setup?.origins.get('192.0.2.7/24')],
    ['configured', 'veth', 'static'],
  );
  assert.equal(setup?.origins.get('fe80::9c1a:58ff:fe61:21b0/64'), 'foreign');
  const [neighbour] = parseLldp(JSON.parse(recorded.NETWORKCTL_LLDP));
  assert.deepEqual(
    [neighbour?.link, neighbour?.portId, neighbour?.systemName, neighbour?.capabilities, neighbour?.vlan],
    ['eth0', 'eth1', 'plinth', 128, undefined],
  );
});

test('servers and domains are read from the properties of systemd-resolved', () => {
  const { scoped, global, resolvConfMode } = parseResolver(recorded.RESOLVE_MANAGER);
  assert.deepEqual([scoped, global.servers, global.dnssec, resolvConfMode], [[3], [], 'no', 'stub']);
  const scope = parseLinkScope(recorded.RESOLVE_LINK);
  assert.deepEqual(
    [scope.servers, scope.searchDomains, scope.routeDomains, scope.currentServer],
    [['192.0.2.53'], ['example.org'], ['corp.example'], ''],
  );
  assert.deepEqual(
    [linkPath(3), linkPath(12)].map((path) => path.split('/').at(-1)),
    ['_33', '_312'],
  );
  const named = recorded.RESOLVE_LINK.replace(
    /^.*\n/,
    '{"type":"","data":[[10,[32,1,13,184,0,0,0,0,0,0,0,0,0,0,0,1],853,"dns.example"]]}\n',
  );
  assert.deepEqual(parseLinkScope(named).servers, ['[2001:db8::1]:853#dns.example']);
});

test('a server that has not answered tells no offset', () => {
  const time = timeServer(recorded.TIMESYNC);
  assert.deepEqual(
    [time.server, time.packets, time.offset, time.driftPpm],
    ['192.0.2.123', 0n, undefined, undefined],
  );
  assert.equal(time.servers?.length, 5);
});

test('offset and round trip are those that the four time stamps were made with', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.nat(1e6),
      fc.nat(1e6),
      fc.constantFrom(1, 2, 15),
      (offsetUs, wayUs, workUs, stratum) => {
        const originUs = 1_795_000_000_000_000;
        const receivedUs = originUs + wayUs + offsetUs;
        const sentUs = receivedUs + workUs;
        const arrivedUs = originUs + 2 * wayUs + workUs;
        const reference = stratum === 1 ? [71, 80, 83, 0] : [198, 51, 100, 7];
        const message = [
          0,
          4,
          4,
          stratum,
          -20,
          10,
          20,
          reference,
          originUs,
          receivedUs,
          sentUs,
          arrivedUs,
          false,
          3,
          250,
        ];
        const lines = recorded.TIMESYNC.trim().split('\n');
        const text = [...lines.slice(0, 7), JSON.stringify({ data: message }), '{"data":-213000}'].join('\n');
        const time = timeServer(text);
        const us = (length: { seconds?: bigint; nanos?: number } | undefined) =>
          Number(length?.seconds ?? 0n) * 1e6 + (length?.nanos ?? 0) / 1000;
        assert.deepEqual([us(time.offset), us(time.roundTrip), us(time.jitter)], [offsetUs, 2 * wayUs, 250]);
        assert.equal(time.reference, stratum === 1 ? 'GPS' : '198.51.100.7');
        assert.ok(Math.abs((time.driftPpm ?? 0) + 3.25) < 0.001);
      },
    ),
  );
});

const word = fc.stringMatching(/^[a-zA-Z0-9/+=._-]{0,12}$/);

test('showCommand never shows a value, a plain word, or what follows a short option', () => {
  const secret = 'hunter2SECRET';
  const hiding = fc.oneof(
    fc.tuple(fc.stringMatching(/^[a-z-]{0,8}$/), word).map(([name, rest]) => `--a${name}=${rest}${secret}`),
    fc.tuple(fc.constantFrom('-p', '-e', '-H'), word).map(([name, rest]) => `${name}${rest}${secret}`),
    word.map((rest) => `${rest.replace(/^-+/, '')}${secret}`),
    word.map((rest) => `KEY_${secret}=${rest}`),
    word.map((rest) => `https://user:${secret}@host/${rest}`),
    fc.constant(`two words ${secret}`),
    fc.constant(`-\n${secret}`),
  );
  fc.assert(
    fc.property(
      fc.array(fc.oneof(hiding, fc.constantFrom('--token', '-x', '--')), { maxLength: 80 }),
      (words) => {
        const shown = showCommand(['/usr/bin/program', ...words]);
        assert.ok(!shown.includes('SECRET'), shown);
        assert.ok(shown.startsWith('/usr/bin/program'));
        // Whoever reads it knows that there was more.
        if (words.some((one) => one.includes(secret))) assert.ok(shown.includes('…'), shown);
      },
    ),
  );
});

test('showCommand keeps what tells programs apart', () => {
  assert.equal(
    showCommand(['/usr/bin/kubelet', '--config=/var/lib/kubelet/config.yaml', '--v', '2', '-f']),
    '/usr/bin/kubelet --config=… --v -f …',
  );
  assert.equal(showCommand(['/bin/app']), '/bin/app');
  assert.equal(showCommand([]), '');
  assert.equal(showCommand(['postgres: user secret idle']), 'postgres: …');
  assert.equal(showCommand(['TOKEN=x']), 'TOKEN …');
  assert.deepEqual(splitCommandLine(Buffer.from('a\0\0b\0\0\0')), ['a', '', 'b']);
});

test('small parsers', () => {
  assert.deepEqual(
    parseOwner(
      'tcp LISTEN 0 4096 127.0.0.54:53 0.0.0.0:* uid:991 ino:2029693 sk:4 cgroup:/system.slice/a.service <-> cgroup:/b',
    ),
    {
      ...{ inode: 2_029_693, cgroup: '/system.slice/a.service' },
    },
  );
  assert.equal(parseOwner('tcp TIME-WAIT 0 0 192.0.2.7:1 192.0.2.8:2 ino:0 sk:0'), undefined);
  assert.equal(diskTransport('vda', '../devices/pci0000:00/0000:00:05.0/virtio2/block/vda'), 'virtio');
  assert.equal(
    diskTransport('sda', '../devices/pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0/block/sda'),
    'sata',
  );
  assert.equal(diskTransport('nvme0n1', ''), 'nvme');
  assert.equal(parseTraffic('a b'), undefined);
  assert.equal(parseTraffic('3 0 8 1 4 0 16 9 2 7 11')?.writtenBytes, 8_192n);
  assert.deepEqual(['CRYPT-VERITY-ab-root', 'CRYPT-LUKS2-x', 'LVM-y', ''].map(mappedKind), [
    'verity',
    'crypt',
    'linear',
    'mapped',
  ]);
  const pki = '/etc/kubernetes/pki';
  assert.deepEqual(
    [
      `${pki}/ca.crt`,
      `${pki}/etcd/ca.crt`,
      `${pki}/etcd/peer.crt`,
      `${pki}/front-proxy-ca.crt`,
      '/etc/kubernetes/admin.conf',
    ].map(purposeOf),
    ['Kubernetes authority', 'etcd authority', 'etcd peer', 'front-proxy authority', 'admin'],
  );
});

test('durationFromUs can be sent, whatever its sign', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), (us) => {
      const { seconds, nanos } = durationFromUs(us);
      assert.ok(Number.isInteger(nanos) && Math.abs(nanos) < 1e9);
      assert.ok(seconds === 0n || nanos === 0 || seconds > 0n === nanos > 0);
      assert.equal(Number(seconds) * 1e6 + nanos / 1000, Math.round(us) || 0);
    }),
  );
});

test('answers of another shape are refused, not half read', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      for (const parse of [parseLinks, parseNeighbours, parseManager, parseLldp]) {
        try {
          parse(value);
        } catch (reason) {
          assert.equal(reason instanceof Error && reason.name, 'ZodError');
        }
      }
      for (const parse of [timeServer, parseResolver, parseLinkScope])
        assert.throws(() => parse(JSON.stringify(value)));
    }),
  );
});
