import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { BootEndKind, type GetUpdateResponse, type NodeClient, UpdatePhase } from '@plinth/api';
import { destroyMachine } from '@plinth/local';
import { type BootLab, machineSpec, openBootLab } from '../testkit/boot-lab.ts';
import { clearFaults, reportFault } from '../testkit/updates/fault-report.ts';
import { makeRelease, type ReleaseRecipe } from '../testkit/updates/make-release.ts';
import { badRecipes, good } from '../testkit/updates/recipes.ts';
import { copyWithTrial } from '../testkit/updates/second-slot.ts';
import { type ReadyMachine, startUntilReady } from '../testkit/updates/until-ready.ts';
import { openUpdateLab, stageWhole, type UpdateLab, untilUpdate } from '../testkit/updates/update-lab.ts';

// Releases that must not stay, each in the second slot of a disk whose first is proven. Whatever one does, the node has to
// come back by itself with the first version, say why, and take another one.

const FILE = 'bad-releases';
const RETURN_LIMIT_MS = 1_800_000;
const GOOD = '0.2.0';
const FELL_BACK = /update: the node fell back from /;

interface BadRelease {
  readonly recipe: ReleaseRecipe;
  readonly tries: number;
  /** How the last boot of it must be said to have ended; undefined: it left nothing that would tell. */
  readonly end?: BootEndKind;
}

// What takes minutes to be noticed gets one try, the others all three.
const bad: readonly BadRelease[] = [
  { recipe: badRecipes.kernelPanics('0.3.0'), tries: 3 },
  { recipe: badRecipes.initrdPanics('0.3.1'), tries: 3 },
  { recipe: badRecipes.initrdHangs('0.3.2'), tries: 1, end: BootEndKind.WATCHDOG },
  { recipe: badRecipes.initHangs('0.3.3'), tries: 1, end: BootEndKind.WATCHDOG },
  { recipe: badRecipes.agentCrashes('0.3.4'), tries: 1 },
  { recipe: badRecipes.runtimeFails('0.3.5'), tries: 1 },
  { recipe: badRecipes.networkGone('0.3.6'), tries: 1 },
];

suite('a bad release is left, and the node says why', () => {
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

  for (const { recipe, tries, end } of bad) {
    test(recipe.what, async () => {
      const name = `bad-${recipe.version.replaceAll('.', '-')}`;
      const folder = await makeRelease(lab, recipe);
      const disk = await copyWithTrial(lab, name, folder, tries);
      const spec = machineSpec(lab, name, {
        disk: { kind: 'raw', path: disk.path },
        onReboot: 'restart',
        machineConfig: updates.machineConfig(name, { deadlineMinutes: 4 }),
      });
      try {
        // A bad version may say that it is ready too: what counts is the word of the proven one.
        const machine = await startUntilReady(lab, spec, RETURN_LIMIT_MS, (line) => FELL_BACK.test(line));
        using client = lab.owner.connect(machine.endpoint);
        const update = await fallenBack(machine, client, recipe.version);
        assert.equal(update.booted?.version, lab.release.version);
        assert.ok(
          update.blocked.some(({ version }) => version === recipe.version),
          'it is blocked',
        );
        if (end !== undefined) assert.equal(update.lastFallBack?.end?.kind, end);
        const { phase } = await stageWhole(client, GOOD);
        await reportFault(lab.reportFolder, FILE, {
          fault: `${recipe.what} (${tries} of 3 tries)`,
          runs: update.booted?.version ?? '',
          says: update.lastFallBack?.reason?.message ?? '',
          recoveredMs: machine.tookMs,
          updatable: phase === UpdatePhase.STAGED,
        });
        assert.equal(phase, UpdatePhase.STAGED);
      } finally {
        await destroyMachine(name, { root: lab.machinesRoot });
      }
    });
  }

  function fallenBack(machine: ReadyMachine, client: NodeClient, from: string): Promise<GetUpdateResponse> {
    const isBack = ({ lastFallBack }: GetUpdateResponse) => lastFallBack?.fromVersion === from;
    return untilUpdate(machine.machine, client, 'fallen back', isBack, 120_000);
  }
});
