/** One measurement that a log tells of. Only its digest is proven by a register; all else in it is what somebody wrote. */
export interface MeasuredEvent {
  /** Who keeps the log: firmware, boot loader and kernel stub, or systemd. */
  readonly source: 'firmware' | 'system';
  readonly pcr: number;
  /** Name of its type (TCG PC Client Platform Firmware Profile, or systemd's). */
  readonly type: string;
  /** SHA-256, 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** What was measured, where the log carries it: proven, for its digest is `sha256`. */
  readonly content?: Uint8Array;
  /** What the log says it is; for people only. */
  readonly description: string;
}

/** As many events as a boot may have: a machine with many disks and option ROMs has some hundred. */
export const EVENT_LIMIT = 2048;
/** Registers of a TPM for a PC. */
export const PCR_COUNT = 24;
