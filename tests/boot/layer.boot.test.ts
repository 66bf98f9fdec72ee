import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { type GetIntegrityResponse, type NodeClient, Verdict } from '@plinth/api';
import { initKeys } from '@plinth/trust';
import { attack } from '../testkit/attack-report.ts';
import { type BootedImage, bootAgain, bootImage, endpointOf, shutDown } from '../testkit/boot-image.ts';
import { type BootLab, findLayers, openBootLab } from '../testkit/boot-lab.ts';
import { openDisk } from '../testkit/disk-copy.ts';
import { copyInstrumented, type NodeStep, readSteps, stepUnits } from '../testkit/instrumented.ts';
import { layerDrive, makeSmallLayer, partLabel } from '../testkit/layers.ts';
import { failing, settledHealth, verdictOf } from '../testkit/node-answers.ts';

const VERITY_BLOCK_BYTES = 4096;
const STEPS_TIMEOUT_MS = 300_000;
/** Serial numbers of layers that must be refused. */
const TAMPERED = '9.0.1';
const UNSIGNED = '9.0.2';
const FOREIGN = '9.0.3';
const OTHER_LEVEL = '9.0.4';
/** A card of its own, whose cable leads nowhere. */
const CARD = { group: '239.255.77.1', port: 21_077, mac: '52:54:00:0a:05:0b' } as const;
const ADDRESS = '10.77.0.11';

/** Where systemd-sysext finds its layer; the runtime link leads to a drive. */
const LINK = '/var/lib/extensions/kubernetes';
const choose = (version: string) => [
  `r ${LINK}`,
  `L+ ${LINK} - - - - /dev/disk/by-id/virtio-kubernetes-${version}`,
];
const MERGE = [
  '/usr/bin/systemd-tmpfiles --create --remove -',
  '-/usr/bin/systemctl restart systemd-sysext.service',
];
const LOOK = ['/usr/bin/journalctl --sync', '-/usr/bin/kubelet --version'];
const IMAGES = ['/usr/bin/journalctl -b -u plinth-images.service -o cat --no-pager -n 10'];
const merging = (name: string, version: string, ...more: string[]): NodeStep => {
  return { name, run: [...MERGE, ...LOOK, ...more], input: choose(version) };
};

suite('a Kubernetes layer on a read-only drive', () => {
  let lab: BootLab;
  let booted: BootedImage;
  let said: ReadonlyMap<string, string>;
  let journal: ReadonlyMap<string, string>;
  let old = '';
  let latest = '';
  let integrity: GetIntegrityResponse;
  let client: NodeClient;

  before(async () => {
    lab = await openBootLab();
    const layers = await findLayers();
    const [first, last] = [layers[0], layers.at(-1)];
    assert.ok(first && last && first !== last, 'two layers are needed to switch between them');
    [old, latest] = [first.version, last.version];
    const steps = [
      merging('merge', latest, '-/usr/bin/systemctl restart plinth-images.service', ...IMAGES),
      merging('switched', old, '/usr/bin/systemctl show -P NRestarts,ActiveState containerd.service'),
      ...[TAMPERED, UNSIGNED, FOREIGN, OTHER_LEVEL].map((version, index) => merging(`bad${index}`, version)),
      {
        name: 'folder',
        run: [...MERGE, ...LOOK],
        input: [`r ${LINK}`, `d ${LINK}/usr/bin 0755`],
      },
      { name: 'again', run: [...MERGE, ...LOOK], input: [`R ${LINK}/usr`, ...choose(latest)] },
    ];
    const disk = await copyInstrumented(lab, 'layer');
    booted = await bootImage(lab, 'layer', {
      title: 'layers of two minors and four bad ones',
      expected: 'the good ones are merged, the bad ones refused',
      spec: {
        disk: { kind: 'raw', path: disk.path },
        smbiosStrings: stepUnits(steps),
        extraDrives: [
          ...[first, last].map(({ path, version }) => layerDrive(path, version)),
          ...(await badLayers(lab)),
        ],
        clusterCard: CARD,
        machineConfig: lab.owner.machineConfig('layer', {
          network: { interfaces: [{ mac: CARD.mac, addresses: [`${ADDRESS}/24`] }] },
        }),
      },
    });
    client = lab.owner.connect(endpointOf(booted));
    said = await readSteps(booted.machine, steps, AbortSignal.timeout(STEPS_TIMEOUT_MS));
    journal = await readJournalOfSteps(client);
  });
  after(async () => {
    client?.close();
    await lab[Symbol.asyncDispose]();
  });

  const sayOf = (step: string) => `${said.get(step) ?? ''}\n${journal.get(step) ?? ''}`;

  test('is merged into /usr, and its images are brought into containerd', () => {
    assert.match(sayOf('merge'), /Using extensions 'kubernetes'/);
    assert.match(sayOf('merge'), new RegExp(`Kubernetes v${latest}`));
    for (const name of ['pause:1', 'coredns:', 'flannel:'])
      assert.match(sayOf('merge'), new RegExp(`plinth.local/${name}.* brought in`), name);
  });

  test('is switched to another minor while containerd runs', () => {
    assert.match(sayOf('switched'), new RegExp(`Kubernetes v${old}`));
    assert.match(sayOf('switched'), /^0\s*\n(.*\n)*active/m);
  });

  const refusals: readonly (readonly [what: string, reason: RegExp])[] = [
    ['whose hash tree was changed', /Verity device detected corruption/],
    ['that nobody signed', /Image does not match image policy/],
    ['that a stranger signed', /Required key not available/],
    ['of another level', /No suitable extensions found \(1 ignored due to incompatible image/],
  ];
  for (const [index, [what, reason]] of refusals.entries()) {
    test(`a layer ${what} is refused and the journal says why`, () =>
      attack(
        lab,
        `Merge a layer ${what}`,
        { outcome: 'refused', by: 'the kernel and systemd-sysext' },
        () => {
          const text = sayOf(`bad${index}`);
          assert.match(text, reason);
          assert.doesNotMatch(text, /Kubernetes v9/);
          return text.split('\n').find((line) => reason.test(line)) ?? '';
        },
      ));
  }

  test('the layer that is merged stays when a damaged or unsigned one is refused', () => {
    for (const index of [0, 1, 2]) assert.match(sayOf(`bad${index}`), new RegExp(`Kubernetes v${old}`));
  });

  test('a folder in the place of a layer is not merged: nothing checks what is in it', () => {
    assert.match(sayOf('folder'), /Assertion failed/);
    assert.doesNotMatch(sayOf('folder'), /Merged extensions/);
  });

  test('leaves a node that is healthy and is what was built', async () => {
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
    integrity = await client.getIntegrity();
    assert.deepEqual(failing(integrity.checks), []);
    const layer = integrity.checks.find(({ id }) => id === 'layer-signature');
    assert.match(layer?.observed ?? '', /^[0-9a-f]{64}/);
    assert.match(integrity.layerRootHashes.join(' '), /^[0-9a-f]{64}/);
    assert.ok(!integrity.layerRootHashes.includes(integrity.rootHash));
    assert.equal(integrity.mounts.find(({ target }) => target === '/usr')?.verdict, Verdict.PASS);
  });

  test('a card with a fixed address has it, without DHCP', async () => {
    const { checks } = await client.getHealth();
    assert.equal(verdictOf(checks, 'network-config'), Verdict.PASS);
    assert.match(checks.find(({ id }) => id === 'network')?.observed ?? '', new RegExp(`\\b${ADDRESS}\\b`));
  });

  test('is merged again by the next boot', async () => {
    client.close();
    assert.equal(await shutDown(lab, booted), 'powered-off');
    const steps: NodeStep[] = [{ name: 'look', run: LOOK }];
    const spec = { ...booted.spec, smbiosStrings: stepUnits(steps) };
    const again = await bootAgain(lab, spec, { title: 'second boot', expected: 'merged at boot' });
    client = lab.owner.connect(endpointOf(again));
    const words = await readSteps(again.machine, steps, AbortSignal.timeout(STEPS_TIMEOUT_MS));
    assert.match(words.get('look') ?? '', new RegExp(`Kubernetes v${latest}`));
    const { checks } = await client.getIntegrity();
    assert.deepEqual(failing(checks), []);
  });
});

/**
 * What the journal got while each step ran, by its name and of any unit: the program that refuses a layer ends with its last word, and
 * the journal cannot tell any more which unit a process was of that is gone when its word is read.
 */
async function readJournalOfSteps(client: NodeClient): Promise<ReadonlyMap<string, string>> {
  const steps = new Map<string, string[]>();
  let current: string[] = [];
  for await (const entries of client.logs.read({ boot: 0 }))
    for (const { message } of entries) {
      const [, name] = /^Starting step-(\w+)\.service/.exec(message) ?? [];
      if (name !== undefined) {
        current = [];
        steps.set(name, current);
      }
      current.push(message);
    }
  return new Map([...steps].map(([name, lines]) => [name, lines.join('\n')]));
}

/** Layers that no node may merge, as drives. */
async function badLayers(lab: BootLab) {
  const stranger = join(lab.scratch, 'stranger');
  await initKeys(stranger, { organisation: 'A stranger' });
  const small = (name: string, serial: string, level: string, signedBy: string | undefined) =>
    makeSmallLayer(lab, name, { version: serial, level, signedBy, files: { 'usr/share/small': 'small' } });
  // Not a copy of a layer that is merged: the kernel has that one open and verified, and systemd takes what is there.
  const tampered = await small('tampered', TAMPERED, '1', lab.keysFolder);
  const disk = await openDisk(tampered);
  // The first block of the partition describes the tree, the second is the one that the root hash is the hash of.
  await disk.flipBit(disk.partition(partLabel('hash')).offsetBytes + VERITY_BLOCK_BYTES);
  return [
    layerDrive(tampered, TAMPERED),
    layerDrive(await small('unsigned', UNSIGNED, '1', undefined), UNSIGNED),
    layerDrive(await small('foreign', FOREIGN, '1', stranger), FOREIGN),
    layerDrive(await small('level', OTHER_LEVEL, '2', lab.keysFolder), OTHER_LEVEL),
  ];
}
