import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GetHotLayerResponse, HotLayerPhase, type NodeClient, Verdict } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { hashFile } from '@plinth/host';
import type { BuiltHotLayer } from '@plinth/image';
import { initKeys, loadKeys } from '@plinth/trust';
import { formatHotLayer } from '@plinth/updates';
import { type BootedImage, bootAgain, bootImage, endpointOf, shutDown } from '../testkit/boot-image.ts';
import { type BootLab, openBootLab } from '../testkit/boot-lab.ts';
import { copyDisk, openDisk } from '../testkit/disk-copy.ts';
import { type BaseTree, makeHotLayer, unpackRoot } from '../testkit/hot-layers.ts';
import { failing, settledHealth, verdictOf } from '../testkit/node-answers.ts';

const LIMIT_MS = 300_000;
const UPLOAD_MS = 300_000;
const VERITY_BLOCK_BYTES = 4096;
/** Linked into what all programs of systemd share, and into neither containerd nor the message bus. */
const SECCOMP = { libseccomp2: 'libseccomp.so.2' };
/** Linked into plinthd alone; the first is mapped by journalctl, which plinthd may keep running. */
const ATOMIC = { libatomic1: 'libatomic.so.1' };

suite('a hot layer on a booted node', () => {
  let lab: BootLab;
  let booted: BootedImage;
  let client: NodeClient;
  let base: BaseTree;
  let first: BuiltHotLayer;
  let second: BuiltHotLayer;

  before(async () => {
    lab = await openBootLab();
    booted = await bootImage(lab, 'hot', { title: 'hot layers', expected: 'merged without a reboot' });
    client = lab.owner.connect(endpointOf(booted));
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
    base = await unpackRoot(lab, (await client.getIntegrity()).rootHash);
    const key = lab.keys.signers.verity;
    first = await makeHotLayer(lab, base, 'first', { fixes: SECCOMP, key });
    second = await makeHotLayer(lab, base, 'second', {
      fixes: { ...SECCOMP, ...ATOMIC },
      key,
      previous: first.layer,
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

  test('for another build of the same version is refused before a byte of it is taken', async () => {
    const manifest = formatHotLayer({
      ...first.layer,
      base: { ...first.layer.base, rootHash: 'a'.repeat(64) },
    });
    await assert.rejects(stage({ imagePath: first.imagePath, manifest }), refusal('hot-layer/wrong-base'));
    const { phase, staged } = await client.hotLayer.get();
    assert.deepEqual([phase, staged], [HotLayerPhase.NONE, undefined]);
  });

  test('that was changed, that nobody or a stranger signed, or that lies, is refused by the kernel and by what it says itself', async () => {
    const before = await restartable(client);
    for (const [name, bad, words] of await badLayers(lab, base, first)) {
      const { serial } = await stage(bad);
      await client.hotLayer.activate(serial);
      const answer = await settled(client, (now) => now.failure !== undefined && !now.busy);
      console.log(`# ${name}: ${answer.failure?.message}`);
      assert.equal(answer.phase, HotLayerPhase.NONE, name);
      assert.equal(answer.failure?.code, 'hot-layer/refused', name);
      assert.match(answer.failure?.message ?? '', words, name);
      assert.equal(verdictOf((await client.getHealth()).checks, 'hot-layer'), Verdict.FAIL, name);
    }
    // Nothing mapped the library of a layer that was never merged, so nothing had to be restarted.
    assert.deepEqual(changes(before, await restartable(client)), []);
  });

  test('that is signed is merged, and exactly the units that map what it replaces are restarted', async () => {
    const before = await restartable(client);
    await stage(asBuilt(first));
    const startMs = performance.now();
    await client.hotLayer.activate(1);
    const answer = await settled(client, ({ phase, busy }) => phase === HotLayerPhase.ACTIVE && !busy);
    console.log(
      `# active after ${Math.round((performance.now() - startMs) / 1000)} s; restarted ${answer.report?.restarted.join(' ')}`,
    );
    const { report } = answer;
    assert.ok(report);
    const restarted = [...report.restarted];
    for (const unit of [
      'init.scope',
      'systemd-journald.service',
      'systemd-udevd.service',
      'systemd-networkd.service',
    ])
      assert.ok(restarted.includes(unit), `${unit} among ${restarted.join(' ')}`);
    for (const unit of ['containerd.service', 'dbus.service', 'dbus-broker.service'])
      assert.ok(!restarted.includes(unit), unit);
    assert.deepEqual(report.remaining, []);
    assert.deepEqual([report.failed, report.hidden], [[], 0]);
    // What the node says is what happened: other processes under just these units. PID 1 stays PID 1.
    const changed = changes(before, await restartable(client));
    assert.deepEqual(changed, restarted.filter((unit) => unit !== 'init.scope').sort());
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
    const integrity = await client.getIntegrity();
    assert.deepEqual(failing(integrity.checks), []);
    assert.match(
      integrity.checks.find(({ id }) => id === 'layer-signature')?.observed ?? '',
      new RegExp(first.rootHash),
    );
  });

  test('comes back with the next boot, and what started before it runs the new files too', async () => {
    const { report: before } = await client.hotLayer.get();
    client.close();
    assert.equal(await shutDown(lab, booted), 'powered-off');
    const again = await bootAgain(lab, booted.spec, { title: 'second boot', expected: 'merged at boot' });
    client = lab.owner.connect(endpointOf(again));
    const answer = await settled(
      client,
      ({ phase, busy, report }) =>
        phase === HotLayerPhase.ACTIVE && !busy && report?.endedAt?.seconds !== before?.endedAt?.seconds,
    );
    console.log(`# after the boot restarted ${answer.report?.restarted.join(' ') || 'nothing'}`);
    assert.deepEqual([answer.report?.remaining, answer.report?.failed], [[], []]);
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
  });

  test('gives way to one that holds its fixes and more; plinthd restarts itself last', async () => {
    const { sha256: _, ...without } = { sha256: '', ...asBuilt(second) };
    const lost = {
      ...second.layer,
      fixes: second.layer.fixes.filter((fix) => fix.package !== 'libseccomp2'),
    };
    await assert.rejects(
      stage({ ...without, manifest: formatHotLayer(lost) }),
      refusal('hot-layer/not-cumulative'),
    );
    const before = await restartable(client);
    await stage(asBuilt(second));
    await client.hotLayer.activate(2);
    const answer = await settled(
      client,
      ({ phase, busy, layer }) => phase === HotLayerPhase.ACTIVE && !busy && layer?.serial === 2,
    );
    assert.deepEqual(answer.report?.remaining, []);
    const changed = changes(before, await restartable(client));
    assert.ok(changed.includes('plinthd.service'), changed.join(' '));
    assert.ok(!changed.includes('containerd.service'), changed.join(' '));
    await assert.rejects(stage(asBuilt(first)), refusal('hot-layer/older'));
  });

  test('is retired on request: the image runs as it was built', async () => {
    await client.hotLayer.retire(2);
    const answer = await settled(client, ({ phase, busy }) => phase === HotLayerPhase.NONE && !busy);
    assert.deepEqual(answer.report?.remaining, []);
    assert.ok(answer.report?.restarted.includes('systemd-journald.service'));
    await assert.rejects(stage(asBuilt(first)), refusal('hot-layer/older'));
    const health = await settledHealth(client);
    assert.deepEqual(failing(health.checks), []);
    const mounts = await client.system.mounts();
    assert.ok(!mounts.mounts.some(({ target }) => target === '/usr'), 'nothing lies over /usr');
  });
});

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

/** The processes of each service, as "pid pid": what a restart changes. */
async function restartable(client: NodeClient): Promise<ReadonlyMap<string, string>> {
  const { processes } = await client.system.processes();
  const units = new Map<string, number[]>();
  // Helpers that a service starts for a moment are no sign of a restart; its own children are of PID 1.
  for (const { unit, pid, parentPid } of processes)
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
async function badLayers(lab: BootLab, base: BaseTree, good: BuiltHotLayer): Promise<Bad[]> {
  const manifest = await readFile(good.manifestPath, 'utf8');
  const copy = async (name: string) => copyDisk(good.imagePath, join(lab.scratch, `${name}.raw`));
  const tampered = await copy('tampered');
  // The first block of the partition describes the tree, the second is the one that the root hash is the hash of.
  await tampered.flipBit(
    (await openDisk(tampered.path)).partition('hot-1_verity').offsetBytes + VERITY_BLOCK_BYTES,
  );
  const unsigned = await copy('unsigned');
  const { offsetBytes, sizeBytes } = unsigned.partition('hot-1_sig');
  await unsigned.write(offsetBytes, new Uint8Array(sizeBytes));
  const stranger = join(lab.scratch, 'stranger');
  await initKeys(stranger, { organisation: 'A stranger' });
  const { signers } = await loadKeys(stranger);
  const foreign = await makeHotLayer(lab, base, 'foreign', { fixes: SECCOMP, key: signers.verity });
  const liar = formatHotLayer({ ...good.layer, fixes: [{ package: 'libssl3t64', from: '1', to: '2' }] });
  return [
    ['tampered', { imagePath: tampered.path, manifest }, /expected a layer that this node trusts/],
    ['unsigned', { imagePath: unsigned.path, manifest }, /expected a layer that this node trusts/],
    [
      'foreign',
      { imagePath: foreign.imagePath, manifest: formatHotLayer(foreign.layer) },
      /Required key not available|trusts/,
    ],
    ['liar', { imagePath: good.imagePath, manifest: liar }, /says something else inside/],
  ];
}
