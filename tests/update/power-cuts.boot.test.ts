import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import {
  BootState,
  type GetUpdateResponse,
  type NodeClient,
  UpdatePhase,
  type UpdateStage,
} from '@plinth/api';
import { followConsoleLines, type MachineSpec, readConsole } from '@plinth/local';
import { type BootLab, machineSpec, openBootLab } from '../testkit/boot-lab.ts';
import { cutPower } from '../testkit/updates/cut-power.ts';
import { clearFaults, reportFault } from '../testkit/updates/fault-report.ts';
import { good } from '../testkit/updates/recipes.ts';
import { type ReadyMachine, startUntilReady } from '../testkit/updates/until-ready.ts';
import { openUpdateLab, stageWhole, type UpdateLab, untilUpdate } from '../testkit/updates/update-lab.ts';

// One node whose power is taken at points of an update, with what it had not flushed. Each time it has to come back on a proven
// version, and the same update has to be possible.

const FILE = 'power-cuts';
const BOOT_LIMIT_MS = 900_000;
/** One for each point after staging: who is on one goes on to the next. */
const VERSIONS = ['0.2.0', '0.2.1', '0.2.2', '0.2.3'] as const;
const LAST = '0.2.3';

/** Points of staging, in its order. */
const stagePoints: readonly (readonly [what: string, isThere: (stage: UpdateStage) => boolean])[] = [
  [
    'as the first blocks are written',
    ({ phase, doneBytes }) => phase === UpdatePhase.DOWNLOADING && doneBytes > 0n,
  ],
  [
    'with half of the blocks written',
    ({ phase, doneBytes, totalBytes }) => phase === UpdatePhase.DOWNLOADING && doneBytes * 2n > totalBytes,
  ],
  ['as the slot is read back and labelled', ({ phase }) => phase === UpdatePhase.VERIFYING],
  ['the moment it says that it is staged', ({ phase }) => phase === UpdatePhase.STAGED],
];

suite('the power goes while a node updates itself', () => {
  let lab: BootLab;
  let updates: UpdateLab;
  let spec: MachineSpec;
  let running: ReadyMachine;
  let client: NodeClient;

  before(async () => {
    lab = await openBootLab();
    await clearFaults(lab.reportFolder, FILE);
    updates = await openUpdateLab(lab);
    for (const version of VERSIONS) await updates.publish(good(version));
    spec = machineSpec(lab, 'power-cuts', {
      onReboot: 'restart',
      durability: 'kept',
      machineConfig: updates.machineConfig('power-cuts', { deadlineMinutes: 10 }),
    });
    running = await startUntilReady(lab, spec, BOOT_LIMIT_MS);
    client = lab.owner.connect(running.endpoint);
    await proven(lab.release.version);
  });
  after(async () => {
    client?.close();
    await updates?.[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  function proven(...versions: readonly string[]): Promise<GetUpdateResponse> {
    const isProven = ({ booted }: GetUpdateResponse) =>
      booted?.state === BootState.GOOD && versions.includes(booted.version);
    return untilUpdate(
      running.machine,
      client,
      `proven on ${versions.join(' or ')}`,
      isProven,
      BOOT_LIMIT_MS,
    );
  }

  /** Takes the power, gives it back, and waits until the node is on a proven version that may be the one it comes to. */
  async function cut(what: string, versions: readonly string[]): Promise<string> {
    const startedMs = performance.now();
    client.close();
    await cutPower(running.machine);
    running = await startUntilReady(lab, spec, BOOT_LIMIT_MS);
    client = lab.owner.connect(running.endpoint);
    const { booted, phase, lastFallBack } = await proven(...versions);
    const recoveredMs = performance.now() - startedMs;
    const health = await client.getHealth();
    const update = health.checks.find(({ id }) => id === 'update');
    const runs = booted?.version ?? '';
    // A staging that was cut goes on by itself, and another one would be refused as long as it does.
    const next = runs === lab.release.version ? VERSIONS[0] : LAST;
    const updatable =
      runs === LAST ? (await client.update.check()).next?.version === '' : await accepts(next);
    await reportFault(lab.reportFolder, FILE, {
      ...{ fault: `power cut ${what}`, runs, recoveredMs, updatable },
      says: lastFallBack?.reason?.message ?? update?.observed ?? `phase ${phase}`,
    });
    assert.ok(updatable, 'it can be updated again');
    return runs;
  }

  /** Whether the node begins to write a version; takes it back. */
  async function accepts(version: string): Promise<boolean> {
    for await (const { phase } of client.update.stage(version)) {
      if (
        phase !== UpdatePhase.DOWNLOADING &&
        phase !== UpdatePhase.VERIFYING &&
        phase !== UpdatePhase.STAGED
      )
        continue;
      await client.update.cancel();
      return true;
    }
    return false;
  }

  for (const [what, isThere] of stagePoints) {
    test(`while staging, ${what}`, async () => {
      await stageUntil(isThere);
      await cut(`while staging, ${what}`, [lab.release.version]);
    });
  }

  test('the moment the version is activated', async () => {
    const target = await stageNext();
    await client.update.activate(target.to);
    await cut('the moment the version is activated', [target.from, target.to]);
  });

  for (const [what, line] of [
    ['while the kernel of the new version starts', /BdsDxe: starting Boot/],
    ['as the new version is up and not yet proven', /plinth: api ready/],
    ['the moment the new version is kept', /update: version \S+ is proven and kept/],
  ] as const) {
    test(what, async () => {
      const target = await stageNext();
      await activateUntil(target.to, line);
      await cut(what, [target.from, target.to]);
    });
  }

  /** Stages until a point is reached. */
  async function stageUntil(isThere: (stage: UpdateStage) => boolean): Promise<void> {
    for await (const stage of client.update.stage(VERSIONS[0])) if (isThere(stage)) return;
    assert.fail('staging ended before that point');
  }

  /** Stages the version after the one that runs. */
  async function stageNext(): Promise<{ from: string; to: string }> {
    const from = (await client.update.get()).booted?.version ?? '';
    const to = VERSIONS.find((version) => version > from) ?? LAST;
    assert.equal((await stageWhole(client, to)).phase, UpdatePhase.STAGED);
    return { from, to };
  }

  /** Activates and waits until the console says something in the boot that follows. */
  async function activateUntil(version: string, line: RegExp): Promise<void> {
    const limit = AbortSignal.timeout(BOOT_LIMIT_MS);
    let old = (await readConsole(running.machine)).length;
    await client.update.activate(version);
    for await (const each of followConsoleLines(running.machine, limit)) {
      if (old-- <= 0 && line.test(each)) return;
    }
    assert.fail(`no line ${line} in time`);
  }
});
