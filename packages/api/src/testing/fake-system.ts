import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import type { SystemService } from '../gen/plinth/node/v1/system_pb.ts';
import { DiskVerdict } from '../gen/plinth/node/v1/system_storage_pb.ts';

const STARTED_MS = Date.UTC(2026, 10, 21, 12);
const POD = '0b8f6c7a-52b1-4b8e-9d3c-3f2a1e0d9c8b';
const pressure = (resource: string, some10: number) => ({ resource, some10, some60: some10 / 2 });

/**
 * fakeSystem answers for a small node with a failed unit, a pod and a verified root. Whole command lines are refused, as for
 * everyone who is no admin.
 */
export function fakeSystem(): Partial<ServiceImpl<typeof SystemService>> {
  return {
    listServices: ({ allKinds }) => ({
      services: [
        {
          ...{ name: 'chronicle.service', description: 'Chronicle', loadState: 'loaded' },
          ...{ activeState: 'failed', subState: 'failed', result: 'exit-code', exitStatus: 3, restarts: 5 },
          since: timestampFromMs(STARTED_MS),
        },
        {
          ...{ name: 'containerd.service', description: 'Container runtime', loadState: 'loaded' },
          ...{ activeState: 'active', subState: 'running', result: 'success', mainPid: 128 },
          ...{ memoryBytes: 61_341_696n, cpuTime: durationFromMs(3_584), unitFileState: 'enabled' },
          since: timestampFromMs(STARTED_MS),
        },
        {
          ...{ name: 'systemd-fsck-root.service', loadState: 'loaded' },
          ...{ activeState: 'inactive', subState: 'dead', result: 'success' },
        },
        ...(allKinds
          ? [
              {
                name: 'var.mount',
                loadState: 'loaded',
                activeState: 'active',
                subState: 'mounted',
                result: 'success',
              },
            ]
          : []),
      ],
      total: allKinds ? 4 : 3,
    }),
    listProcesses: (request) => {
      if (request.arguments) throw new ConnectError('not allowed', Code.PermissionDenied);
      return {
        processes: [
          {
            pid: 1,
            user: 'root',
            state: 'S',
            name: 'systemd',
            command: '/usr/lib/systemd/systemd',
            memoryBytes: 14_680_064n,
            cpu: 0.001,
            threads: 1,
            unit: 'init.scope',
            startedAt: timestampFromMs(STARTED_MS),
          },
          {
            pid: 811,
            parentPid: 1,
            user: '65532',
            state: 'R',
            name: 'app',
            command: '/app --listen=… …',
            memoryBytes: 268_435_456n,
            cpu: 1.25,
            threads: 9,
            podUid: POD,
            startedAt: timestampFromMs(STARTED_MS),
          },
          {
            pid: 812,
            parentPid: 811,
            user: '65532',
            state: 'D',
            name: 'writer',
            command: '',
            memoryBytes: 4_096n,
            threads: 1,
            podUid: POD,
          },
        ],
        total: 3,
        notObserved: ['command lines of processes that wait for a disk (1): reading them may wait with them'],
      };
    },
    listUnsigned: () => ({
      level: 'audit',
      processes: [
        {
          ...{ pid: 811, name: 'app', podUid: POD, cgroup: `/kubepods/pod${POD}` },
          ...{ files: ['/app', '/lib/libc.so.6'], writesCode: true },
        },
      ],
      lookedAt: 74,
    }),
    getResources: () => ({
      memory: {
        ...{ totalBytes: 2_078_720_000n, availableBytes: 1_536_000_000n, cachedBytes: 900_000_000n },
        ...{ sharedBytes: 9_000_000n, kernelBytes: 80_000_000n, dirtyBytes: 40_960n, oomKills: 1n },
      },
      processors: {
        count: 2,
        model: 'AMD EPYC',
        sample: durationFromMs(1_000),
        user: 0.62,
        system: 0.08,
        idle: 0.3,
      },
      load: [1.5, 0.75, 0.5],
      pressure: [pressure('cpu', 0.3), pressure('memory', 0), pressure('io', 0.02)],
      ...{ tasks: 230, tasksLimit: 15_000, uptime: durationFromMs(3_723_000) },
    }),
    listCgroups: () => ({
      cgroups: [
        { path: '/', cpu: 1.3, pressure: [pressure('cpu', 0.3)] },
        {
          path: '/kubepods.slice',
          depth: 1,
          memoryBytes: 300_000_000n,
          memoryLimitBytes: 1_800_000_000n,
          cpu: 1.25,
          tasks: 30n,
          oomKills: 1n,
        },
        {
          path: `/kubepods.slice/kubepods-pod${POD.replaceAll('-', '_')}.slice`,
          depth: 2,
          podUid: POD,
          memoryBytes: 280_000_000n,
          cpu: 1.25,
          tasks: 10n,
          oomKills: 1n,
        },
        { path: '/system.slice', depth: 1, memoryBytes: 200_000_000n, cpu: 0.05, tasks: 60n, oomKills: 0n },
      ],
      total: 4,
    }),
    listDisks: () => ({
      disks: [
        {
          ...{ name: 'vda', sizeBytes: 10_737_418_240n, transport: 'virtio', serial: 'os', rotational: true },
          ...{
            smartUnread: 'a virtual disk has no forecast of its own',
            traffic: { readBytes: 181_000_000n, writtenBytes: 90_000_000n },
          },
          volumes: [
            {
              name: 'vda2',
              kind: 'partition',
              label: 'plinth_0.1.0',
              sizeBytes: 419_430_400n,
              fileSystem: 'erofs',
            },
            {
              name: 'dm-0',
              kind: 'verity',
              label: 'root',
              sizeBytes: 177_000_000n,
              fileSystem: 'erofs',
              mountedAt: '/',
              readOnly: true,
              verityRootHash: '4f'.repeat(32),
              verityState: 'verified',
              veritySigned: true,
              madeOf: ['vda2', 'vda3'],
            },
            {
              name: 'vda8',
              kind: 'partition',
              label: 'var',
              sizeBytes: 8_000_000_000n,
              fileSystem: 'ext4',
              mountedAt: '/var',
            },
          ],
        },
        {
          ...{
            name: 'nvme0n1',
            sizeBytes: 960_197_124_096n,
            transport: 'nvme',
            serial: 'S4NV',
            state: 'live',
          },
          health: {
            verdict: DiskVerdict.FAILING,
            warnings: ['its spare blocks have run out'],
            ...{ celsius: 41, usedPercent: 97, sparePercent: 3, mediaErrors: 12n, powerOnHours: 21_904n },
          },
        },
      ],
    }),
    listMounts: ({ all }) => ({
      mounts: [
        {
          target: '/',
          source: '/dev/mapper/root',
          fileSystem: 'erofs',
          options: ['ro'],
          usage: { sizeBytes: 177_000_000n, usedBytes: 177_000_000n },
        },
        {
          target: '/var',
          source: '/dev/vda8',
          fileSystem: 'ext4',
          options: ['rw', 'noexec'],
          usage: {
            sizeBytes: 8_000_000_000n,
            usedBytes: 7_000_000_000n,
            availableBytes: 600_000_000n,
            inodes: 500_000n,
            availableInodes: 450_000n,
          },
        },
        {
          target: '/mnt/shared',
          source: 'nas:/shared',
          fileSystem: 'nfs4',
          options: ['rw'],
          usageUnread: 'another machine or a program serves it, and may not answer',
        },
        ...(all ? [{ target: '/proc', source: 'proc', fileSystem: 'proc', options: ['rw'] }] : []),
      ],
      total: 4,
    }),
    getNetwork: () => ({
      links: [
        {
          name: 'lo',
          index: 1,
          kind: 'loopback',
          mtu: 65_536,
          state: 'unknown',
          setup: 'unmanaged',
          addresses: [{ cidr: '127.0.0.1/8', scope: 'host', origin: 'foreign' }],
        },
        {
          name: 'eth0',
          index: 2,
          kind: 'ether',
          mac: '52:54:00:12:34:56',
          mtu: 1_500,
          state: 'up',
          setup: 'configured',
          received: { bytes: 1_000_000n },
          sent: { bytes: 500_000n },
          addresses: [
            { cidr: '192.0.2.7/24', scope: 'global', origin: 'DHCPv4' },
            { cidr: 'fe80::5054:ff:fe12:3456/64', scope: 'link', origin: 'foreign' },
          ],
        },
        { name: 'veth1234', index: 9, kind: 'veth', mtu: 1_450, state: 'up', setup: 'unmanaged' },
      ],
      routes: [
        {
          family: 'inet',
          destination: 'default',
          gateway: '192.0.2.1',
          device: 'eth0',
          source: '192.0.2.7',
          protocol: 'dhcp',
          metric: 1_024,
          table: 'main',
          type: 'unicast',
        },
      ],
      neighbours: [{ address: '192.0.2.1', mac: '52:55:0a:00:02:02', device: 'eth0', state: 'REACHABLE' }],
      dns: {
        global: { dnssec: 'no', dnsOverTls: 'no' },
        links: [
          {
            link: 'eth0',
            servers: ['192.0.2.53', '192.0.2.54'],
            currentServer: '192.0.2.54',
            searchDomains: ['example.org'],
            dnssec: 'no',
            dnsOverTls: 'no',
          },
        ],
        ...{ resolvConfMode: 'stub', queries: 12n, cacheSize: 3n, cacheHits: 4n },
      },
      lldp: [
        { link: 'eth0', chassisId: '00:11:22:33:44:55', portId: 'Gi1/0/7', systemName: 'switch-1', vlan: 12 },
      ],
    }),
    listSockets: ({ listeningOnly }) => ({
      sockets: [
        {
          protocol: 'tcp6',
          state: 'LISTEN',
          localAddress: '::',
          localPort: 7_546,
          user: 'root',
          unit: 'plinthd.service',
          pid: 127,
          process: 'plinthd',
        },
        {
          protocol: 'tcp',
          state: 'LISTEN',
          localAddress: '0.0.0.0',
          localPort: 9_100,
          user: '65532',
          podUid: POD,
        },
        ...(listeningOnly
          ? []
          : [
              {
                protocol: 'tcp6',
                state: 'ESTABLISHED',
                localAddress: '::ffff:192.0.2.7',
                localPort: 7_546,
                remoteAddress: '::ffff:192.0.2.9',
                remotePort: 40_000,
                user: 'root',
                unit: 'plinthd.service',
                pid: 127,
                process: 'plinthd',
              },
            ]),
      ],
      states: listeningOnly ? { LISTEN: 2 } : { LISTEN: 2, ESTABLISHED: 1 },
      total: listeningOnly ? 2 : 3,
    }),
    getTime: () => ({
      ...{
        now: timestampFromMs(STARTED_MS),
        synchronised: true,
        lastSynchronisedAt: timestampFromMs(STARTED_MS - 64_000),
      },
      ...{
        server: 'time.example.org',
        serverAddress: '192.0.2.123',
        servers: ['time.example.org'],
        stratum: 2,
      },
      ...{
        reference: '198.51.100.7',
        offset: { seconds: 0n, nanos: -1_250_000 },
        roundTrip: durationFromMs(12),
      },
      ...{
        jitter: durationFromMs(1),
        packets: 7n,
        pollInterval: durationFromMs(64_000),
        driftPpm: -3.25,
        clockSource: 'kvm-clock',
      },
    }),
    listCertificates: () => ({
      certificates: [
        {
          purpose: 'kubelet client',
          path: '/var/lib/kubelet/pki/kubelet-client-current.pem',
          subject: 'O=system:nodes, CN=system:node:n1',
          issuer: 'CN=kubernetes',
          notAfter: timestampFromMs(Date.UTC(2020, 0, 1)),
        },
        {
          purpose: 'node API',
          subject: 'CN=n1',
          issuer: 'CN=n1',
          notAfter: timestampFromMs(Date.UTC(2999, 0, 1)),
        },
      ],
    }),
  };
}
