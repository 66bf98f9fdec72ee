import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { openLyingServer } from '@plinth/agent/testing';
import { BootState, type GetUpdateResponse, type NodeClient, UpdatePhase } from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { codeOf, eventually } from '@plinth/host/testing';
import { destroyMachine, type MachineSpec } from '@plinth/local';
import { type BootLab, machineSpec, openBootLab } from '../testkit/boot-lab.ts';
import { makeForeignSigner } from '../testkit/foreign-signer.ts';
import { HOST_SEEN_BY_GUEST } from '../testkit/guest-network.ts';
import { joinConfig } from '../testkit/owner.ts';
import { openTimeServer } from '../testkit/time-server.ts';
import { clearFaults, reportFault } from '../testkit/updates/fault-report.ts';
import { badRecipes, good } from '../testkit/updates/recipes.ts';
import { type ReadyMachine, startUntilReady } from '../testkit/updates/until-ready.ts';
import {
  guestAddress,
  openUpdateLab,
  stageWhole,
  type UpdateLab,
  untilUpdate,
  updatingConfig,
} from '../testkit/updates/update-lab.ts';
import { copyWithVar, fillVar } from '../testkit/var-disk.ts';

// What is wrong around a node that is to update itself: its disk, its clock, the servers it asks.

const FILE = 'surroundings';
const BOOT_LIMIT_MS = 600_000;
/** systemd-timesyncd asks again after half a minute, and then ever more seldom. */
const CLOCK_LIMIT_MS = 300_000;
const GOOD = '0.2.0';
const SECTOR_BYTES = 512;

type Fault = Parameters<typeof openLyingServer>[0]['fault'];
/** The first request for a file of the release goes wrong, those for metadata and later ones do not. */
const once = (fault: ReturnType<NonNullable<Fault>>): Fault => {
  return ({ path, before }) => (path.endsWith('.raw') && before === 0 ? fault : undefined);
};

const lies: readonly (readonly [what: string, fault: Fault])[] = [
  ['ends in the middle of an answer', once({ kind: 'truncate', afterBytes: 30_000 })],
  ['sends no more', once({ kind: 'stall', afterBytes: 30_000 })],
  ['turns over a bit', once({ kind: 'corrupt', atByte: 20_000 })],
  ['exchanges two blocks', once({ kind: 'swap', atByte: 8192, blockBytes: 4096 })],
  ['sends another range', once({ kind: 'wrong-range', shiftBytes: 4096, admits: false })],
];

suite('what is wrong around a node that updates itself', () => {
  let lab: BootLab;
  let updates: UpdateLab;

  before(async () => {
    lab = await openBootLab();
    await clearFaults(lab.reportFolder, FILE);
    updates = await openUpdateLab(lab);
    await updates.publish(good(GOOD));
  });
  after(async () => {
    await updates?.[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  async function withNode(
    name: string,
    changes: Partial<MachineSpec>,
    work: (client: NodeClient, running: ReadyMachine) => Promise<void>,
  ): Promise<void> {
    const config = updates.machineConfig(name, { deadlineMinutes: 10 });
    const spec = machineSpec(lab, name, { onReboot: 'restart', machineConfig: config, ...changes });
    try {
      const running = await startUntilReady(lab, spec, BOOT_LIMIT_MS);
      using client = lab.owner.connect(running.endpoint);
      await work(client, running);
    } finally {
      await destroyMachine(name, { root: lab.machinesRoot });
    }
  }

  /** Waits until the version that was booted has proven itself: until then nothing else is tried. */
  function kept(machine: ReadyMachine['machine'], client: NodeClient): Promise<unknown> {
    const isKept = ({ booted }: GetUpdateResponse) => booted?.state === BootState.GOOD;
    return untilUpdate(machine, client, 'kept', isKept, BOOT_LIMIT_MS);
  }

  /** Stages and says how that went: "staged", or the code of the refusal. */
  async function tryStage(client: NodeClient): Promise<string> {
    try {
      const { phase, failure } = await stageWhole(client, GOOD);
      return phase === UpdatePhase.STAGED ? 'staged' : (failure?.code ?? 'no reason');
    } catch (reason) {
      if (reason instanceof PlinthError) return reason.code;
      throw reason;
    }
  }

  async function report(fault: string, client: NodeClient, says: string, recoveredMs: number): Promise<void> {
    const { booted } = await client.update.get();
    assert.equal(booted?.version, lab.release.version);
    const updatable = (await tryStage(client)) === 'staged';
    await reportFault(lab.reportFolder, FILE, {
      fault,
      runs: booted?.version ?? '',
      says,
      recoveredMs,
      updatable,
    });
  }

  test('the first partition table is torn: firmware, kernel and plinthd use the backup, and mend it', async () => {
    // The disk of a node that has run: on one that was written a moment ago and is longer than its image, the backup is not at the end yet,
    // where firmware looks for it.
    const disk = await copyWithVar(lab.toolbox, lab.release.diskPath, join(lab.scratch, 'torn.raw'));
    // The header, and half of its entries: what a cut in the middle of a write leaves.
    await disk.write(SECTOR_BYTES, Buffer.alloc(SECTOR_BYTES, 0xa5));
    await disk.write(2 * SECTOR_BYTES, Buffer.alloc(16 * SECTOR_BYTES, 0xa5));
    const spec: Partial<MachineSpec> = {
      disk: { kind: 'raw', path: disk.path },
      diskSizeBytes: disk.sizeBytes,
    };
    await withNode('torn', spec, async (client, { tookMs }) => {
      const said = await tryStage(client);
      await report('the first partition table is torn', client, said, tookMs);
      assert.equal(said, 'staged');
    });
  });

  test('/var is full: nothing that boots changes, and the node says why', async () => {
    const disk = await copyWithVar(lab.toolbox, lab.release.diskPath, join(lab.scratch, 'full.raw'));
    await fillVar(lab.toolbox, disk, lab.scratch);
    const spec: Partial<MachineSpec> = {
      disk: { kind: 'raw', path: disk.path },
      diskSizeBytes: disk.sizeBytes,
    };
    await withNode('full', spec, async (client, { tookMs }) => {
      const said = await tryStage(client);
      await report('/var is full', client, said, tookMs);
      assert.notEqual(said, 'no reason');
    });
  });

  for (const [what, clock] of [
    ['years ahead', '2041-01-01T00:00:00'],
    ['years behind', '2001-01-01T00:00:00'],
  ] as const) {
    test(`the clock is ${what}: no certificate is believed until a time server has set it, and then it updates`, async (t) => {
      const network = { kind: 'Network', ntp: { servers: [HOST_SEEN_BY_GUEST] } };
      const name = `clock-${what.slice(6)}`;
      const machineConfig = joinConfig(updatingConfig(lab, name, [updates.address]), network);
      await withNode(name, { clock, machineConfig }, async (client) => {
        assert.equal(await codeOf(client.getIdentity()), 'api/forbidden');
        const startedMs = performance.now();
        await using server = await openTimeServer();
        if (!server) return t.skip('port 123 of this computer is not to be had');
        await eventually(() => client.getIdentity(), { patienceMs: CLOCK_LIMIT_MS, everyMs: 1_000 });
        const setAfterMs = performance.now() - startedMs;
        const said = await tryStage(client);
        await report(`the clock is ${what}, then a time server answers`, client, said, setAfterMs);
        assert.equal(said, 'staged');
      });
    });
  }

  test('a release that the firmware would not start is not activated', async () => {
    const foreign = await makeForeignSigner(join(lab.scratch, 'foreign'));
    const [unknown, damaged] = ['0.2.8', '0.2.9'];
    await updates.publish(badRecipes.foreignUki(unknown, foreign));
    await updates.publish(badRecipes.damagedUki(damaged));
    await withNode('uki', {}, async (client, { machine }) => {
      await kept(machine, client);
      for (const version of [unknown, damaged]) {
        assert.equal((await stageWhole(client, version)).phase, UpdatePhase.STAGED);
        const refusal = await codeOf(client.update.activate(version));
        assert.equal(refusal, 'update/uki-not-trusted');
      }
      await report('releases whose UKI the firmware refuses', client, 'update/uki-not-trusted', 0);
    });
  });

  test('a server that lies: each lie is noticed, and the next mirror is asked', async () => {
    const servers = await Promise.all(
      lies.map(([, fault]) => openLyingServer({ files: updates.repoDir, ...(fault && { fault }) })),
    );
    try {
      const sources = [...servers.map(({ address }) => guestAddress(address)), updates.address];
      const machineConfig = updatingConfig(lab, 'liars', sources);
      await withNode('liars', { machineConfig }, async (client, { machine }) => {
        await kept(machine, client);
        const startedMs = performance.now();
        const said = await tryStage(client);
        const fault = `servers that lie: one ${lies.map(([what]) => what).join(', one ')}`;
        await report(fault, client, said, performance.now() - startedMs);
        assert.equal(said, 'staged');
      });
    } finally {
      for (const server of servers) await server.close();
    }
  });
});
