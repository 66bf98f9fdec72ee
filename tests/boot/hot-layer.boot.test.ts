import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Check, type GetHotLayerResponse, HotLayerPhase, type NodeClient, Verdict } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { hashFile } from '@plinth/host';
import { eventually } from '@plinth/host/testing';
import type { BuiltHotLayer } from '@plinth/image';
import { initKeys, loadKeys } from '@plinth/trust';
import { formatHotLayer } from '@plinth/updates';
import { type BootedImage, bootAgain, bootImage, endpointOf, shutDown } from '../testkit/boot-image.ts';
import { type BootLab, findLayers, openBootLab } from '../testkit/boot-lab.ts';
import { copyDisk } from '../testkit/disk-copy.ts';
import { type BaseTree, makeHotLayer, unpackRoot } from '../testkit/hot-layers.ts';
import { copyInstrumented, type NodeStep, readSteps, stepUnits } from '../testkit/instrumented.ts';
import { layerDrive } from '../testkit/layers.ts';
import { failing, settledHealth, verdictOf } from '../testkit/node-answers.ts';

const LIMIT_MS = 300_000;
const UPLOAD_MS = 300_000;
const VERITY_BLOCK_BYTES = 4096;
/** Linked into what all programs of systemd share, and into neither containerd nor the message bus. */
const SECCOMP = { libseccomp2: 'libseccomp.so.2' };
/** Linked into plinthd alone; the first is mapped by journalctl, which plinthd may keep running. */
const ATOMIC = { libatomic1: 'libatomic.so.1' };

/** Where systemd-sysext finds its layers. */
const EXTENSIONS = '/var/lib/extensions';
const STEPS_LIMIT_MS = 300_000;
/** plinthd looks twice before it says that a boot has come to health. */
const PROVEN_AFTER_MS = 60_000;

suite('a hot layer on a booted node, beside a Kubernetes layer', () => {
  let lab: BootLab;
  let booted: BootedImage;
  let client: NodeClient;
  let base: BaseTree;
  let first: BuiltHotLayer;
  let second: BuiltHotLayer;
  /** Of a stranger, and newer than the others. */
  let foreign: BuiltHotLayer;

  before(async () => {
    lab = await openBootLab();
    const kubernetes = (await findLayers()).at(-1);
    assert.ok(kubernetes, 'a Kubernetes layer is needed');
    const { version, path } = kubernetes;
    const link = `L+ ${EXTENSIONS}/kubernetes - - - - /dev/disk/by-id/virtio-kubernetes-${version}`;
    const run = ['/usr/bin/systemd-tmpfiles --create -', '/usr/bin/systemctl restart systemd-sysext.service'];
    const steps: NodeStep[] = [{ name: 'merge', run, input: [link] }];
    const disk = await copyInstrumented(lab, 'hot');
    booted = await bootImage(lab, 'hot', {
      title: 'hot layers',
      expected: 'merged without a reboot',
      spec: {
        disk: { kind: 'raw', path: disk.path },
        smbiosStrings: stepUnits(steps),
        extraDrives: [layerDrive(path, version)],
      },
    });
    client = lab.owner.connect(endpointOf(booted));
    await readSteps(booted.machine, steps, AbortSignal.timeout(STEPS_LIMIT_MS));
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
    assert.equal((await layerHashes(client)).length, 1, 'Kubernetes is merged');
    base = await unpackRoot(lab, (await client.getIntegrity()).rootHash);
    const key = lab.keys.signers.verity;
    first = await makeHotLayer(lab, base, 'first', { fixes: SECCOMP, key });
    const fixes = { ...SECCOMP, ...ATOMIC };
    second = await makeHotLayer(lab, base, 'second', { fixes, key, previous: first.layer });
    const stranger = join(lab.scratch, 'stranger');
    await initKeys(stranger, { organisation: 'A stranger' });
    const { signers } = await loadKeys(stranger);
    foreign = await makeHotLayer(lab, base, 'foreign', {
      fixes,
      key: signers.verity,
      previous: second.layer,
    });
  });
  after(async () => {
    client?.close();
    await lab[Symbol.asyncDispose]();
  });

  const stage = async (built: { readonly imagePath: string; readonly manifest: string }) => {
    const { sha256, sizeBytes } = await hashFile(built.imagePath);
    return client.hotLayer.stage({
      ...{ sha256, sizeBytes, timeoutMs: UPLOAD_MS },
      manifest: Buffer.from(built.manifest),
      content: createReadStream(built.imagePath),
    });
  };
  const asBuilt = ({ imagePath, layer }: BuiltHotLayer) => ({ imagePath, manifest: formatHotLayer(layer) });
  const refusal = (code: string) => (error: unknown) => {
    assert.ok(error instanceof PlinthError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  };
  const activated = async (serial: number) => {
    const startMs = performance.now();
    await client.hotLayer.activate(serial);
    const answer = await settled(
      client,
      ({ phase, busy, layer }) => phase === HotLayerPhase.ACTIVE && !busy && layer?.serial === serial,
    );
    const { report } = answer;
    assert.ok(report);
    console.log(
      `# serial ${serial} active after ${Math.round((performance.now() - startMs) / 1000)} s, ${report.seen} processes seen, restarted ${report.restarted.join(' ')}`,
    );
    assert.deepEqual([report.remaining, report.failed, report.hidden], [[], [], 0]);
    return report.restarted;
  };

  test('for another build of the same version is refused before a byte of it is taken', async () => {
    const other = { ...first.layer.base, rootHash: 'a'.repeat(64) };
    const manifest = formatHotLayer({ ...first.layer, base: other });
    await assert.rejects(stage({ imagePath: first.imagePath, manifest }), refusal('hot-layer/wrong-base'));
    const { phase, staged } = await client.hotLayer.get();
    assert.deepEqual([phase, staged], [HotLayerPhase.NONE, undefined]);
  });

  test('that is signed is merged, and exactly the units that map what it replaces are restarted', async () => {
    const before = await processes(client);
    await stage(asBuilt(first));
    const restarted = await activated(1);
    for (const unit of [
      'init.scope',
      'systemd-journald.service',
      'systemd-udevd.service',
      'systemd-networkd.service',
    ])
      assert.ok(restarted.includes(unit), `${unit} among ${restarted.join(' ')}`);
    for (const unit of ['containerd.service', 'dbus.service', 'dbus-broker.service'])
      assert.ok(!restarted.includes(unit), unit);
    // What the node says is what happened: other processes under just these units. PID 1 stays PID 1.
    const services = restarted.filter((unit) => unit !== 'init.scope').sort();
    assert.deepEqual(changes(before, await processes(client)), services);
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
    const integrity = await client.getIntegrity();
    assert.deepEqual(failing(integrity.checks), []);
    const hashes = await layerHashes(client);
    assert.ok(hashes.length === 2 && hashes.includes(first.rootHash), hashes.join(' '));
  });

  test('gives way to one that holds its fixes and more; plinthd restarts itself last', async () => {
    const lost = {
      ...second.layer,
      fixes: second.layer.fixes.filter((fix) => fix.package !== 'libseccomp2'),
    };
    const lossy = { imagePath: second.imagePath, manifest: formatHotLayer(lost) };
    await assert.rejects(stage(lossy), refusal('hot-layer/not-cumulative'));
    const before = await processes(client);
    await stage(asBuilt(second));
    const restarted = await activated(2);
    assert.equal(restarted.at(-1), 'plinthd.service');
    const changed = changes(before, await processes(client));
    assert.ok(
      changed.includes('plinthd.service') && !changed.includes('containerd.service'),
      changed.join(' '),
    );
    await assert.rejects(stage(asBuilt(first)), refusal('hot-layer/older'));
  });

  test('comes back with the next boot, and what started before it runs the new files too', async () => {
    // Stored, and linked to by a step of the next boot, as somebody would who writes the disk.
    await stage(asBuilt(foreign));
    const { sha256 } = await hashFile(foreign.imagePath);
    const { report: old } = await client.hotLayer.get();
    client.close();
    assert.equal(await shutDown(lab, booted), 'powered-off');
    const swap = `L+ ${EXTENSIONS}/hot-layer.raw - - - - /var/lib/plinth/hot-layer/${sha256}.raw`;
    const run = ['/usr/bin/systemd-tmpfiles --create -'];
    const steps: NodeStep[] = [{ name: 'swap', run, input: [swap] }];
    const spec = { ...booted.spec, smbiosStrings: stepUnits(steps) };
    booted = await bootAgain(lab, spec, { title: 'second boot', expected: 'merged at boot' });
    client = lab.owner.connect(endpointOf(booted));
    await readSteps(booted.machine, steps, AbortSignal.timeout(STEPS_LIMIT_MS));
    const { report } = await settled(
      client,
      ({ phase, busy, report: now }) =>
        phase === HotLayerPhase.ACTIVE && !busy && now?.endedAt?.seconds !== old?.endedAt?.seconds,
    );
    console.log(`# after the boot restarted ${report?.restarted.join(' ') || 'nothing'}`);
    assert.deepEqual([report?.remaining, report?.failed], [[], []]);
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
    const hashes = await layerHashes(client);
    assert.ok(hashes.length === 2 && hashes.includes(second.rootHash), hashes.join(' '));
  });

  test('one that the kernel refuses at boot goes, and the Kubernetes layer is merged without it', async () => {
    await sleep(PROVEN_AFTER_MS);
    client.close();
    assert.equal(await shutDown(lab, booted), 'powered-off');
    const spec = { ...booted.spec, smbiosStrings: [] };
    booted = await bootAgain(lab, spec, { title: 'third boot', expected: 'without the layer of a stranger' });
    client = lab.owner.connect(endpointOf(booted));
    const answer = await settled(client, ({ phase, busy }) => phase === HotLayerPhase.NONE && !busy);
    assert.equal(answer.failure?.code, 'hot-layer/refused', JSON.stringify(answer.failure?.message));
    assert.match(answer.failure?.message ?? '', /at boot/);
    const hashes = await layerHashes(client);
    assert.ok(hashes.length === 1 && !hashes.includes(foreign.rootHash), hashes.join(' '));
    const isSettled = (checks: readonly Check[]) =>
      failing(checks).every((text) => text.startsWith('hot-layer '));
    const { checks } = await settledHealth(client, (health) => isSettled(health.checks));
    assert.ok(isSettled(checks), failing(checks).join('; '));
  });

  test('is retired on request: the image runs as it was built', async () => {
    await stage(asBuilt(second));
    await activated(2);
    await client.hotLayer.retire(2);
    const { report } = await settled(client, ({ phase, busy }) => phase === HotLayerPhase.NONE && !busy);
    assert.deepEqual(report?.remaining, []);
    assert.ok(report?.restarted.includes('systemd-journald.service'), report?.restarted.join(' '));
    await assert.rejects(stage(asBuilt(first)), refusal('hot-layer/older'));
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
    assert.equal((await layerHashes(client)).length, 1, 'Kubernetes is merged');
  });

  test('that was changed, that nobody or a stranger signed, or that lies about itself, is refused; what is merged stays', async () => {
    const before = await processes(client);
    for (const [name, bad, words] of await badLayers(lab, second, foreign)) {
      const { failure: old } = await client.hotLayer.get();
      const { serial } = await stage(bad);
      await client.hotLayer.activate(serial);
      const answer = await settled(
        client,
        ({ failure, busy }) => !busy && momentOf(failure) !== momentOf(old),
      );
      console.log(`# ${name}: ${answer.failure?.message}`);
      assert.equal(answer.phase, HotLayerPhase.NONE, name);
      assert.equal(answer.failure?.code, 'hot-layer/refused', name);
      assert.match(answer.failure?.message ?? '', words, name);
      assert.equal(verdictOf((await client.getHealth()).checks, 'hot-layer'), Verdict.FAIL, name);
      // The devices of what was refused go a moment after the word that it was.
      await eventually(
        async () => {
          assert.equal((await layerHashes(client)).length, 1, `${name}: Kubernetes stays merged`);
        },
        { everyMs: 2_000 },
      );
    }
    // Nothing mapped the library of a layer that was never merged, so nothing had to be restarted.
    assert.deepEqual(changes(before, await processes(client)), []);
  });
});

/** Root hashes of what is merged over /usr, each checked by the kernel. */
async function layerHashes(client: NodeClient): Promise<readonly string[]> {
  const { checks } = await client.getIntegrity();
  const { observed = '', verdict } = checks.find(({ id }) => id === 'layer-signature') ?? {};
  assert.equal(verdict, Verdict.PASS, observed);
  return observed.match(/[0-9a-f]{64}/g) ?? [];
}

/** Asks until the answer is as wanted. plinthd may be away for a moment: it restarts itself last. */
async function settled(
  client: NodeClient,
  isWanted: (answer: GetHotLayerResponse) => boolean,
): Promise<GetHotLayerResponse> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const answer = await client.hotLayer.get().catch(() => undefined);
    if (answer && isWanted(answer)) return answer;
    if (performance.now() > deadline)
      assert.fail(
        `not as wanted: phase ${answer?.phase}, ${JSON.stringify(answer?.failure?.message)}, busy ${answer?.busy}, report ${JSON.stringify(answer?.report?.failed)}`,
      );
    await sleep(2_000);
  }
}

/** When a layer was given up: the words may be those of the one before. */
function momentOf(failure: GetHotLayerResponse['failure']): string {
  return `${failure?.at?.seconds}.${failure?.at?.nanos}`;
}

/** The processes of each service, as "pid pid": what a restart changes. */
async function processes(client: NodeClient): Promise<ReadonlyMap<string, string>> {
  const answer = await client.system.processes();
  const units = new Map<string, number[]>();
  // Helpers that a service starts for a moment are no sign of a restart; its own children are of PID 1.
  for (const { unit, pid, parentPid } of answer.processes)
    if (unit.endsWith('.service') && parentPid === 1) units.set(unit, [...(units.get(unit) ?? []), pid]);
  return new Map([...units].map(([unit, pids]) => [unit, pids.sort((a, b) => a - b).join(' ')]));
}

function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): string[] {
  return [...before.keys()].filter((unit) => after.get(unit) !== before.get(unit)).sort();
}

type Bad = readonly [
  name: string,
  layer: { readonly imagePath: string; readonly manifest: string },
  words: RegExp,
];

/** Layers that no node may merge. */
async function badLayers(lab: BootLab, good: BuiltHotLayer, foreign: BuiltHotLayer): Promise<Bad[]> {
  const manifest = await readFile(good.manifestPath, 'utf8');
  const copy = async (name: string) => copyDisk(good.imagePath, join(lab.scratch, `${name}.raw`));
  const tampered = await copy('tampered');
  // The first block of the partition describes the tree, the second is the one that the root hash is the hash of.
  await tampered.flipBit(tampered.partition('hot-2_verity').offsetBytes + VERITY_BLOCK_BYTES);
  const unsigned = await copy('unsigned');
  const { offsetBytes, sizeBytes } = unsigned.partition('hot-2_sig');
  await unsigned.write(offsetBytes, new Uint8Array(sizeBytes));
  const liar = formatHotLayer({ ...good.layer, fixes: [{ package: 'libssl3t64', from: '1', to: '2' }] });
  const trust = /expected a layer that this node trusts/;
  return [
    ['tampered', { imagePath: tampered.path, manifest }, trust],
    ['unsigned', { imagePath: unsigned.path, manifest }, trust],
    ['foreign', { imagePath: foreign.imagePath, manifest: formatHotLayer(foreign.layer) }, trust],
    ['liar', { imagePath: good.imagePath, manifest: liar }, /says something else inside/],
  ];
}
