import { messageOf, PlinthError } from '@plinth/base';
import { type MachineConfig, parseConfig, planConfig, renderConfig } from '@plinth/config';
import { uptimeMs } from '../../reports/boot-report.ts';
import { readSystemStart } from '../../reports/system-start.ts';
import type { Sys } from '../../sys/sys.ts';
import type { FoundConfig } from '../find-config.ts';
import { type ConfigStore, hashOf } from './config-store.ts';
import { type ClusterOf, requireName } from './keep-name.ts';
import { type ConfigState, revisionOf } from './state.ts';
import {
  atStart,
  type BootTime,
  type Candidate,
  dropStaged,
  firstState,
  goBack,
  type Transition,
} from './transitions.ts';
import { addWork, atBoot, resumeWork } from './work.ts';

/** The config a node starts with. */
export interface ChosenConfig {
  readonly state: ConfigState;
  readonly config: MachineConfig;
  /** For people; what was decided on the way. */
  readonly said: readonly string[];
  /** What is wrong with the config the machine is provisioned with; an earlier one is in effect then. */
  readonly provisioningProblems: readonly string[];
}

/**
 * readBootTime tells which start of the system runs, and how long the kernel has: its count, which no change of the clock moves. What was
 * rendered is gone after a soft-reboot too.
 */
export async function readBootTime(sys: Sys): Promise<BootTime> {
  const { startId: bootId } = await readSystemStart(sys);
  return { bootId, upMs: await uptimeMs(sys) };
}

/**
 * chooseConfig decides which config a plinthd that starts goes by, and stores the decision before anything is done for
 * it. Undefined when there is none that can be used: the node stays in maintenance. Throws what the store throws.
 * @param asFound what the machine is provisioned with
 */
export async function chooseConfig(
  sys: Sys,
  store: ConfigStore,
  asFound: FoundConfig,
  clusterOf: ClusterOf,
): Promise<ChosenConfig | undefined> {
  const boot = await readBootTime(sys);
  const { state, damaged } = await store.read();
  const { stored, found, said: dropped } = await withoutRename(store, state, asFound, clusterOf);
  const lost = `what was stored cannot be read and is put aside: ${damaged}`;
  const said = damaged === undefined ? dropped : [lost];
  const given = found.ok ? candidateOf(found, sys.nowMs()) : undefined;
  if (found.ok) await store.putText(found.bytes);
  if (!stored) {
    if (!given) return undefined;
    const first = firstState(given, boot);
    return finish(store, boot, undefined, { ...first, said: [...said, ...first.said] }, []);
  }
  const problems = found.ok || found.code === 'agent/config-missing' ? [] : found.problems;
  // A copy on /var is no news: it is what was given before.
  const news = found.ok && found.source !== 'persisted' ? given : undefined;
  const chosen = await usable(store, atStart(stored, boot, news), given, boot);
  if (!chosen) return undefined;
  return finish(store, boot, stored, { ...chosen, said: [...said, ...chosen.said] }, problems);
}

/**
 * A member of a cluster keeps its name also where a new one was given to the machine, or was staged before the node
 * became one: the first counts as a config that cannot be used, the second is dropped.
 */
async function withoutRename(
  store: ConfigStore,
  state: ConfigState | undefined,
  found: FoundConfig,
  clusterOf: ClusterOf,
): Promise<{
  readonly stored: ConfigState | undefined;
  readonly found: FoundConfig;
  readonly said: readonly string[];
}> {
  const before = state && (await readable(store, state, state.current));
  if (!before) return { stored: state, found, said: [] };
  const refusal = async (after: MachineConfig | undefined) =>
    after && requireName(before, after, clusterOf).then(() => undefined, messageOf);
  const given = found.ok ? await refusal(found.config) : undefined;
  const staged = state.staged && (await refusal(await readable(store, state, state.staged.revision)));
  const kept = staged === undefined ? { state, said: [] } : dropStaged(state, staged);
  return {
    stored: kept.state,
    said: kept.said,
    found: given === undefined ? found : { ok: false, code: 'config/name-fixed', problems: [given] },
  };
}

/** readRevision reads and checks the config of a revision. @throws config/unreadable, config/invalid */
export async function readRevision(
  store: ConfigStore,
  state: ConfigState,
  number: number,
): Promise<MachineConfig> {
  const known = revisionOf(state, number);
  if (!known)
    throw new PlinthError(
      'config/unknown-revision',
      `Cannot find revision ${number}: the node does not remember it, expected one of its history`,
    );
  const parsed = parseConfig(await store.readText(known.hash), `revision ${number}`);
  if (parsed.ok) return parsed.value;
  throw new PlinthError(
    'config/unreadable',
    `Cannot use revision ${number}: ${parsed.diagnostics[0]?.message ?? 'it is not valid'}`,
  );
}

function readable(
  store: ConfigStore,
  state: ConfigState,
  number: number,
): Promise<MachineConfig | undefined> {
  return readRevision(store, state, number).catch(() => undefined);
}

/** A stored text may be damaged, or be none that this release reads: then an older good one, then the given one. */
async function usable(
  store: ConfigStore,
  decided: Transition,
  given: Candidate | undefined,
  boot: BootTime,
): Promise<Transition | undefined> {
  const why = await unusable(store, decided.state, decided.state.current);
  if (why === undefined) return decided;
  const said = [...decided.said, why];
  const back = goBack(decided.state, 'cannot be read');
  const good = back.state.lastKnownGood;
  for (const number of [back.state.current, good]) {
    if (number === undefined || (await unusable(store, back.state, number)) !== undefined) continue;
    return { state: { ...back.state, current: number }, said: [...said, `back on revision ${number}`] };
  }
  if (!given) return undefined;
  const first = firstState(given, boot);
  return { state: first.state, said: [...said, 'begins anew with the provisioned config'] };
}

async function unusable(store: ConfigStore, state: ConfigState, number: number): Promise<string | undefined> {
  try {
    await readRevision(store, state, number);
    return undefined;
  } catch (reason) {
    if (reason instanceof PlinthError) return reason.message;
    throw reason;
  }
}

async function finish(
  store: ConfigStore,
  boot: BootTime,
  before: ConfigState | undefined,
  { state, said }: Transition,
  provisioningProblems: readonly string[],
): Promise<ChosenConfig> {
  const config = await readRevision(store, state, state.current);
  const next = await withWork(store, boot, before, state, config);
  if (next !== before) await store.save(next);
  return { state: next, config, said, provisioningProblems };
}

/** What is left to do: all of it in a new boot, the way from one config to the other in the same one. */
async function withWork(
  store: ConfigStore,
  boot: BootTime,
  before: ConfigState | undefined,
  state: ConfigState,
  config: MachineConfig,
): Promise<ConfigState> {
  const paths = renderConfig(config).map(({ path }) => path);
  if (before?.work.bootId !== boot.bootId)
    return addWork(state, boot, { effects: atBoot(planConfig(undefined, config).effects), paths });
  if (before.current === state.current) return resumeWork(state);
  const old = await readable(store, before, before.current);
  return resumeWork(addWork(state, boot, { effects: planConfig(old, config).effects, paths }));
}

function candidateOf(found: FoundConfig & { ok: true }, nowMs: number): Candidate {
  return {
    hash: hashOf(found.bytes),
    ...(found.givenHash !== undefined && { givenHash: found.givenHash }),
    sizeBytes: found.bytes.length,
    source: found.source,
    author: found.author ?? 'provisioning',
    reason: found.reason ?? '',
    appliedAtMs: nowMs,
    failingBefore: [],
  };
}
