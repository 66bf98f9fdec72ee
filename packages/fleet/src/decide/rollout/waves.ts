import { durationMs, type Lane, type PolicySpec, type Wave } from '../../objects/index.ts';
import { countOf } from '../count.ts';
import type { LedgerEntry } from '../node/slot.ts';
import type { Member } from './pool.ts';

/** Waves of the lane Critical: the fix is urgent, and can be bad all the same. */
const CRITICAL_WAVES: readonly Wave[] = [
  { name: 'canary', perClass: 1, soak: '5m' },
  { name: '', upTo: '5%', soak: '5m' },
  { name: '', upTo: '100%', soak: '0s' },
];

/**
 * To see, with 95 % confidence, a fault that one node in 20 has takes 59 nodes, one in 100 takes 299 (ln 0.05 / ln(1 − p)).
 * So no more than 5 % are taken before 59 are good, nor 25 % before 299; where the share itself is fewer, all of it.
 */
const FLOORS = [
  { upTo: '5%', goodNodes: 59 },
  { upTo: '25%', goodNodes: 299 },
] as const;

/** The waves a rollout goes through in a lane. */
export function wavesOf(policy: PolicySpec, lane: Lane): readonly Wave[] {
  return lane === 'Critical' ? CRITICAL_WAVES : policy.waves;
}

/** A wave as it stands. */
export interface WaveState {
  readonly index: number;
  readonly isCanary: boolean;
  /** How many more nodes the wave takes now, over those that were begun with. */
  readonly room: number;
  /** Nodes that the wave takes of each hardware class, for a wave of canaries. */
  readonly roomByClass: ReadonlyMap<string, number> | undefined;
  /** All nodes of the wave are good. */
  readonly isFull: boolean;
  /** Nodes that are to have been begun with when it is over, as far as it is a number. */
  readonly upTo: number;
}

/** Counts that the waves are judged by. `whole`: nodes that can get the release at all. */
export interface Taken {
  readonly whole: number;
  readonly good: number;
  readonly begun: number;
}

/** How many nodes were taken, and are good. Nodes that cannot get the release are replaced by others. */
export function takenOf(members: readonly Member[], gone: readonly LedgerEntry[] = []): Taken {
  let good = 0;
  let begun = 0;
  let out = 0;
  for (const { standing } of members) {
    if (standing === 'done') good += 1;
    if (standing === 'done' || standing === 'soaking' || standing === 'in-flight') begun += 1;
    else if (isOut(standing)) out += 1;
  }
  // A node whose provider replaces it was begun with, though its Node is gone.
  return { whole: members.length + gone.length - out, good, begun: begun + gone.length };
}

function isOut(standing: Member['standing']): boolean {
  return standing === 'lost' || standing === 'denied' || standing === 'held' || standing === 'no-way';
}

/** The most nodes that statistics allow while so many are good. */
export function statisticalCap({ whole, good }: Pick<Taken, 'whole' | 'good'>): number {
  for (const { upTo, goodNodes } of FLOORS) {
    const share = Math.max(1, countOf(upTo, whole, 'up'));
    if (good < Math.min(goodNodes, share)) return share;
  }
  return whole;
}

/** How a wave stands. Past the last wave everything may be taken. */
export function waveState(
  waves: readonly Wave[],
  index: number,
  members: readonly Member[],
  gone: readonly LedgerEntry[] = [],
): WaveState {
  const taken = takenOf(members, gone);
  const wave = waves[index];
  const cap = statisticalCap(taken);
  if (wave?.perClass !== undefined) return canaryState(index, wave.perClass, members, gone);
  const asked = wave?.upTo === undefined ? taken.whole : countOf(wave.upTo, taken.whole, 'up');
  const upTo = Math.max(Math.min(1, taken.whole), asked);
  return {
    index,
    isCanary: false,
    room: Math.max(0, Math.min(upTo, cap) - taken.begun),
    roomByClass: undefined,
    isFull: taken.good >= upTo,
    upTo,
  };
}

function canaryState(
  index: number,
  perClass: number,
  members: readonly Member[],
  gone: readonly LedgerEntry[],
): WaveState {
  const classes = new Map<string, { whole: number; begun: number; good: number }>();
  for (const { hardware, standing } of members) {
    if (isOut(standing)) continue;
    const counts = classes.get(hardware) ?? { whole: 0, begun: 0, good: 0 };
    const isBegun = standing === 'done' || standing === 'soaking' || standing === 'in-flight';
    // Nodes that are down, or did not say yet what they run, count: without them a class would pass with no canary.
    counts.whole += 1;
    if (isBegun) counts.begun += 1;
    if (standing === 'done') counts.good += 1;
    classes.set(hardware, counts);
  }
  for (const { replaced } of gone) {
    const counts = classes.get(replaced?.hardware ?? '') ?? { whole: 0, begun: 0, good: 0 };
    classes.set(replaced?.hardware ?? '', { ...counts, whole: counts.whole + 1, begun: counts.begun + 1 });
  }
  const roomByClass = new Map<string, number>();
  let room = 0;
  let isFull = true;
  let upTo = 0;
  for (const [hardware, { whole, begun, good }] of classes) {
    const wanted = Math.min(perClass, whole);
    const left = Math.max(0, wanted - begun);
    roomByClass.set(hardware, left);
    room += left;
    upTo += wanted;
    isFull &&= good >= wanted;
  }
  return { index, isCanary: true, room, roomByClass, isFull, upTo };
}

/** Seconds of soak that are still to come, the one that runs included. */
export function remainingSoakSeconds(
  waves: readonly Wave[],
  index: number,
  fullSinceMs: number | undefined,
  nowMs: number,
): number {
  let sumMs = 0;
  for (const [at, { soak }] of waves.entries()) {
    if (at < index) continue;
    const doneMs = at === index && fullSinceMs !== undefined ? nowMs - fullSinceMs : 0;
    sumMs += Math.max(0, durationMs(soak) - doneMs);
  }
  return sumMs / 1000;
}
