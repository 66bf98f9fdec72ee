import type { DiskStep, SlotDisk, UpdateDecision } from '@plinth/updates';
import type { ActivatedVersion } from './activate/activated.ts';
import type { ContractRecord } from './health/contract-record.ts';
import type { FallBackRecord } from './health/fall-back-record.ts';
import type { LastCheck } from './service/last-check.ts';

/** Where releases come from, and whom to believe on the way there; what they say is believed by the image's root of trust only. */
export interface UpdateSource {
  /** Addresses of a release repository and its mirrors, http or https; each is tried in this order. */
  readonly addresses: readonly string[];
  readonly channel: string;
  /** Authorities of the servers in PEM; default: those the image trusts. */
  readonly caPem?: string;
}

export interface StageLimits {
  /** Of what is fetched; default: as fast as it comes. */
  readonly bytesPerSecond?: number;
  /** How long a server may send nothing before the next one is asked; default: DEFAULT_STALL_MS. */
  readonly stallMs?: number;
}

export interface StageRequest {
  readonly source: UpdateSource;
  /** Default: what the channel offers this node. */
  readonly version?: string;
  readonly limits?: StageLimits;
  /** Who asked, for people. */
  readonly by: string;
  /** Ends the caller's listening, not the work. */
  readonly signal?: AbortSignal;
}

/** What staging is at, in this order; a phase in which nothing is to be done is left out. */
export type StagePhase =
  /** Signed metadata, the channel, and the release's manifest are fetched and checked. */
  | 'metadata'
  /** What could boot what is about to be overwritten is taken away. */
  | 'prepare'
  /** The hash tree is fetched, checked, and compared with what both slots hold. */
  | 'compare'
  /** Blocks are copied and fetched, and written. */
  | 'write'
  /** Everything written is read back from the disk and hashed. */
  | 'verify'
  /** The slot gets its labels, the UKI goes onto the ESP. */
  | 'finish'
  | 'staged';

/** How far staging is. Bytes are those of the image in the slot, except for what came over the wire. */
export interface StageProgress {
  readonly phase: StagePhase;
  /** "" until it is known. */
  readonly version: string;
  /** Of the present phase. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** Blocks that were on this disk. */
  readonly bytesCopied: number;
  /** Everything that came over the wire for this release, without metadata. */
  readonly bytesFetched: number;
  /** What a full download would have taken more. */
  readonly bytesSaved: number;
}

/** What was asked for and how it went; kept over restarts, until another version is staged. */
export interface StageRecord {
  readonly source: UpdateSource;
  /** What was asked for; absent: what the channel offers. */
  readonly wanted?: string;
  readonly limits?: StageLimits;
  readonly by: string;
  readonly askedAtMs: number;
  /** `running` after a restart of plinthd: it goes on by itself. */
  readonly state: 'running' | 'staged' | 'failed' | 'cancelled';
  /** What is staged; absent until it is decided. */
  readonly version?: string;
  readonly rootHash?: string;
  /** Minor versions of Kubernetes that the release is for; absent: any. */
  readonly kubernetes?: readonly string[];
  readonly progress: StageProgress;
  /** Why it failed. */
  readonly failure?: { readonly code: string; readonly message: string };
}

/** A version that did not prove itself on this node. */
export interface FailedVersion {
  readonly version: string;
  readonly atMs: number;
  readonly reason: string;
  /** Default: update/fell-back. */
  readonly code?: 'update/fell-back' | 'update/rolled-back';
  /** Who rolled back; absent when the node found it failed. */
  readonly by?: string;
}

/** What the channel offers, asked without staging anything. */
export interface ChannelOffer {
  /** "" when the channel has none. */
  readonly newest: string;
  readonly decision: UpdateDecision;
}

/**
 * What the disk itself cannot tell (ADR 0027); lost with /var without loss of bootability. One file, replaced whole:
 * parts of plinthd add their field here and change it through the store, see stage/update-store.ts.
 */
export interface UpdateState {
  readonly stage?: StageRecord;
  readonly failed: readonly FailedVersion[];
  /** Whether the repository answered last, and what it offered. */
  readonly lastCheck?: LastCheck;
  /** What the boot loader was last told to try, or to go back to. */
  readonly activated?: ActivatedVersion;
  /** The last health contract. */
  readonly contract?: ContractRecord;
  /** The last version that did not prove itself here. */
  readonly fallBack?: FallBackRecord;
}

/** The one file of UpdateState; changes are made one after the other, so that none is lost. */
export interface UpdateStore {
  read(): Promise<UpdateState>;
  /** Replaces the state by what `change` makes of it and gives the new one. */
  change(change: (state: UpdateState) => UpdateState): Promise<UpdateState>;
}

/** Brings releases into the slot that is not booted. One at a time; the work is the node's and goes on without a caller. */
export interface Stager {
  /**
   * Starts staging, or joins the one that runs when it wants the same. The iteration gives progress (the latest only, when the
   * reader is slow) and ends with phase `staged`; leaving it does not end the work.
   * @throws update/busy for another version or source, and whatever staging fails with: update/*, release/manifest-invalid
   */
  stageUpdate(request: StageRequest): AsyncIterable<StageProgress>;
  /** Ends the staging that runs and waits until it has; false when none runs. The slot stays labelled empty. */
  cancelStage(): Promise<boolean>;
  readUpdateState(): Promise<UpdateState>;
  /** Goes on with what a restart or a power cut ended; to be called once at the start. Never throws. */
  resumeStage(): Promise<void>;
  /**
   * What the disk holds, read now from both partition tables and the ESP.
   * @throws update/disk-unreadable
   */
  readSlotDisk(): Promise<SlotDisk>;
  /**
   * Asks the repository what it offers this node; nothing is staged and nothing stored.
   * @throws as stageUpdate does before it writes
   */
  checkUpdate(source: UpdateSource): Promise<ChannelOffer>;
  /**
   * Carries out steps of a plan on the boot entries (activate, bless, roll back, cancel, recover), one after the other and never
   * beside staging. The plan is made by `plan` from the disk as it is at that time.
   * @throws update/busy, update/esp-full, update/disk-failed, and what `plan` throws
   */
  changeEntries(plan: (disk: SlotDisk) => readonly DiskStep[]): Promise<void>;
}

/** How long a server may send nothing. */
export const DEFAULT_STALL_MS = 30_000;
