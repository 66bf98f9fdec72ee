import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { BootstrapContainerState, type NodeClient, Verdict } from '@plinth/api';
import { eventually } from '@plinth/host/testing';
import { attack } from '../testkit/attack-report.ts';
import { type BootedImage, bootImage, endpointOf } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { buildLevel, type SignedLayer, signAttempts } from '../testkit/build-level.ts';
import { type ImageRegistry, startImageRegistry } from '../testkit/image-registry.ts';
import { copyInstrumented, type NodeStep, readSteps, stepUnits } from '../testkit/instrumented.ts';
import { failing, settledHealth, verdictOf } from '../testkit/node-answers.ts';
import { joinConfig } from '../testkit/owner.ts';

// The image at level "signed", with root's own attempts to run what nobody signed and to change the rules. SELinux only
// reports here, and the places are made executable first: what is refused is refused by IPE alone.

const NODE = 'execute';
const STEPS_LIMIT_MS = 600_000;
const PATIENCE = { patienceMs: 300_000, everyMs: 2_000 };
/** The last is the upper side of the overlay. */
const PLACES = ['/var/attempts', '/tmp/attempts', '/run/attempts', '/opt'];
const DRIVE = '/dev/disk/by-id/virtio-';

/** The program that attempts comes in an image of one layer, as `plinth workload sign` signs it, below an overlay on /var. */
const MERGED = '/run/workload/merged';
const stepsOf = ({ rootHash, signature }: SignedLayer): readonly NodeStep[] => [
  {
    name: 'open',
    run: [
      '/usr/bin/mount -o remount,exec /var',
      '/usr/bin/mount -o remount,exec /tmp',
      // The kernel's log takes ten records of audit in five seconds, and those of SELinux are among them.
      '-/usr/bin/systemd-tmpfiles --create -',
    ],
    input: ['w /proc/sys/kernel/printk_ratelimit - - - - 0'],
  },
  {
    name: 'mount',
    run: [
      '/usr/bin/systemd-tmpfiles --create -',
      `/usr/lib/systemd/systemd-veritysetup attach workload ${DRIVE}layer ${DRIVE}tree ${rootHash} root-hash-signature=base64:${signature}`,
      '/usr/bin/mount -t erofs -o ro /dev/mapper/workload /run/workload/layer',
      `/usr/bin/mount -t overlay -o lowerdir=/run/workload/layer,upperdir=/var/workload/upper,workdir=/var/workload/work overlay ${MERGED}`,
    ],
    input: ['/run/workload/layer', MERGED, '/var/workload/upper', '/var/workload/work'].map(
      (path) => `d ${path} 0755`,
    ),
  },
  {
    name: 'attempts',
    service: [
      `RootDirectory=${MERGED}`,
      'MountAPIVFS=yes',
      'BindPaths=/var /tmp /run /sys/kernel/security',
      'BindReadOnlyPaths=/usr /usr/lib:/lib /usr/lib64:/lib64',
    ],
    run: [`/attempts ${PLACES.join(' ')}`],
  },
];

/** Of an audit record: in quotes, or as hexadecimal digits where it has a blank; "" for memory of no file. */
function pathIn(record: string): string {
  const value = / path=("[^"]*"|[0-9A-F]+)/.exec(record)?.[1] ?? '';
  return value.startsWith('"') ? value.slice(1, -1) : Buffer.from(value, 'hex').toString('utf8');
}

suite('a node that executes only what is signed', () => {
  let lab: BootLab;
  let registry: ImageRegistry;
  let booted: BootedImage;
  let client: NodeClient;
  let kernelLog: string[];
  let results: ReadonlyMap<string, string>;

  before(async () => {
    lab = await openBootLab();
    registry = await startImageRegistry(lab);
    const layer = await signAttempts(lab);
    const steps = stepsOf(layer);
    const disk = await copyInstrumented(lab, NODE, {
      diskPath: await buildLevel(lab, 'signed'),
      selinux: 'reporting',
    });
    const container = {
      kind: 'BootstrapContainer',
      name: 'ordinary',
      image: registry.image,
      essential: false,
    };
    booted = await bootImage(lab, NODE, {
      title: 'root tries to run what nobody signed',
      expected: 'up, and every attempt refused',
      spec: {
        disk: { kind: 'raw', path: disk.path },
        machineConfig: joinConfig(lab.owner.machineConfig(NODE), registry.document, {
          ...container,
          ...{ command: ['/bin/bash', '-c', 'echo ran'] },
        }),
        extraDrives: [
          { path: layer.imagePath, format: 'raw', readOnly: true, serial: 'layer' },
          { path: layer.hashTreePath, format: 'raw', readOnly: true, serial: 'tree' },
        ],
        smbiosStrings: stepUnits(steps),
      },
    });
    client = lab.owner.connect(endpointOf(booted));
    const said = await readSteps(booted.machine, steps, AbortSignal.timeout(STEPS_LIMIT_MS));
    const lines = said.get('attempts') ?? '';
    results = new Map(
      [...lines.matchAll(/attempt (\S+): (.*?)\s*$/gm)].map(([, name = '', end = '']) => [name, end]),
    );
    assert.ok(results.size > 0, lines);
    kernelLog = [];
    for await (const entries of client.logs.read({ source: { case: 'kernel', value: true }, boot: 0 }))
      kernelLog.push(...entries.map(({ message }) => message));
  });
  after(async () => {
    client?.close();
    await registry?.[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  /** Refusals of IPE in the kernel's log, as "operation path". */
  const refusals = () =>
    new Set(
      kernelLog
        .filter((line) => line.includes('type=1420') && / enforcing=1 .*action=DENY/.test(line))
        .map((line) => `${/ipe_op=(\w+)/.exec(line)?.[1]} ${pathIn(line)}`),
    );

  const refusedByIpe = (what: string, id: string, reason: string) =>
    attack(lab, `${what} (level signed)`, { outcome: 'refused', by: 'IPE' }, () => {
      const said = results.get(id);
      assert.equal(said, `refused: ${reason}`, id);
      return said;
    });

  test('is healthy, and holds the policy of its image', async () => {
    const { checks } = await client.getIntegrity();
    for (const id of ['ipe', 'mac-admin']) assert.equal(verdictOf(checks, id), Verdict.PASS, id);
    assert.match(checks.find(({ id }) => id === 'ipe')?.observed ?? '', /level signed, enforce=1$/);
    const health = await settledHealth(client, ({ checks: all }) => all.length > 0);
    assert.deepEqual(
      failing(health.checks).filter((line) => !line.includes('bootstrap-containers')),
      [],
    );
  });

  test('runs its own programs, loads its own modules, and runs a signed image through an overlay', () => {
    assert.equal(results.get('verified-program'), 'allowed');
    assert.equal(results.get('verified-module'), 'allowed');
  });

  for (const place of PLACES) {
    const name = place.slice(1).replaceAll('/', '-');
    test(`refuses programs, libraries and modules in ${place}`, async () => {
      for (const [id, what] of [
        ['execute', 'Execute a program'],
        ['map', 'Map a library'],
        ['preload', 'Preload a library'],
        ['module', 'Load a kernel module'],
      ] as const)
        await refusedByIpe(`${what} from ${place}`, `${id}-${name}`, 'permission denied');
    });
  }

  test('names in the log of the kernel what it refused', () => {
    const seen = [...refusals()];
    for (const kind of [
      /^EXECUTE \S+\/attempt$/,
      /^EXECUTE \S+\/library\.so$/,
      /^KMODULE \S+\/module\.ko\.xz$/,
    ])
      assert.ok(
        seen.some((line) => kind.test(line)),
        `${kind} is not in ${seen.join('\n')}`,
      );
    assert.ok(seen.includes('EXECUTE '), 'memory of no file has no path');
    console.log(`# named: ${seen.join(', ')}`);
  });

  test('runs nothing that would be refused', async () => {
    const { processes, level, lookedAt, notObserved } = await client.system.unsigned();
    assert.equal(level, 'signed');
    assert.deepEqual(
      processes.map(({ name, files, writesCode }) => `${name}: ${files.join(' ')} ${writesCode}`),
      [],
    );
    assert.deepEqual(notObserved, []);
    assert.ok(lookedAt > 10, `${lookedAt} processes`);
  });

  test('refuses code that belongs to no file', async () => {
    for (const [id, what] of [
      ['memfd', 'Execute a file that is only in memory (memfd)'],
      ['anonymous', 'Map anonymous memory as executable'],
      ['protect', 'Make written memory executable (mprotect)'],
    ] as const)
      await refusedByIpe(what, id, 'permission denied');
  });

  test('lets nobody, not even root, change the rules', async () => {
    for (const [id, what] of [
      ['enforce', 'Switch IPE to reporting, as root'],
      ['policy', 'Load another IPE policy, as root'],
      ['update-policy', 'Replace the IPE policy, as root'],
      ['delete-policy', 'Delete the IPE policy, as root'],
      ['stop-policy', 'Deactivate the IPE policy, as root'],
    ] as const)
      await refusedByIpe(what, id, 'operation not permitted');
  });

  test('does not run a container of an ordinary image', async () => {
    const container = await eventually(async () => {
      const [first] = (await client.bootstrapContainers.list()).containers;
      assert.equal(first?.state, BootstrapContainerState.FAILED);
      return first;
    }, PATIENCE);
    assert.doesNotMatch(container.output, /ran/);
  });
});
