import type { Registers } from '../log/replay.ts';
import type { ComparedEvent } from '../reference/compare.ts';
import type { Reference } from '../reference/reference.ts';

/** Why evidence is refused; each has a test that makes it. */
export const REASONS = {
  malformed: 'the answer breaks its format',
  'other-machine': 'the quote is of another TPM than the one that was enrolled',
  'bad-signature': 'the quote is not signed by the enrolled key',
  'not-for-this-challenge':
    'the quote was made for another nonce, connection or set of facts: replayed, relayed or edited',
  stale: 'the answer came too late after its nonce',
  'other-registers': 'the quote is not of the registers that come with it',
  'log-edited': 'the logs do not lead to the registers that the TPM signed',
  'secure-boot-off': 'the machine booted without Secure Boot',
  'unknown-event': 'something was measured that no given release measures',
  'missing-event': 'something was not measured that the release measures',
  'no-reference': 'no reference values were given',
  downgrade: 'the release is older than one this node ran before',
  'firmware-changed': 'the firmware is not the one of the enrolment',
  'other-root': 'the root that runs is not the one that was measured',
  'other-node': 'the node names itself otherwise than at its enrolment',
} as const;

export type Reason = keyof typeof REASONS;

/** One reason to refuse. */
export interface Finding {
  readonly reason: Reason;
  /** What is behind it in this case, one line. */
  readonly message: string;
  readonly pcr?: number;
}

/** What a node sent. Everything in it may be hostile. */
export interface EvidenceParts {
  readonly quoted: Uint8Array;
  readonly signature: Uint8Array;
  readonly akPublic: Uint8Array;
  readonly registers: readonly { readonly index: number; readonly sha256: Uint8Array }[];
  readonly firmwareLog: Uint8Array;
  readonly systemLog: Uint8Array;
  readonly facts: Uint8Array;
}

/** What is known of a node since its enrolment. */
export interface KnownNode {
  readonly nodeId: string;
  /** TPMT_PUBLIC of its attestation key. */
  readonly akPublic: Uint8Array;
  /** Registers of the firmware, as they were then. */
  readonly firmware: Registers;
  /** The newest release it passed with; "" before the first. */
  readonly newestVersion: string;
}

/** The question and how its answer came. */
export interface Exchange {
  readonly nonce: Uint8Array;
  /** Exported from the verifier's end of the TLS session. */
  readonly channel: Uint8Array;
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

/** What evidence is worth. */
export interface Judgement {
  readonly verdict: 'pass' | 'fail';
  readonly findings: readonly Finding[];
  /** The release that the boot was compared with: the one that fits best. */
  readonly release?: Pick<Reference, 'name' | 'version' | 'rootHash'>;
  /** Events of the registers that the release knows, in order. */
  readonly compared: readonly ComparedEvent[];
  /** Registers that were quoted and explained by logs, and of which nothing is expected. */
  readonly notCompared: readonly number[];
  /** What the node says of itself; its own word. */
  readonly facts?: NodeFacts;
  /** Power cycles of the TPM. */
  readonly resetCount?: number;
}

/** Facts as plinthd writes them; more may be in them than is named here. */
export interface NodeFacts {
  readonly nodeId: string;
  readonly bootId: string;
  readonly softRebooted: boolean;
  readonly bootedRootHash: string;
  readonly rootHash: string;
  readonly selinux: string;
  readonly lockdown: string;
  readonly ipe: {
    readonly enforcing: string;
    readonly policies: readonly {
      readonly name: string;
      readonly version: string;
      readonly active: string;
    }[];
  };
  readonly checks: readonly { readonly id: string; readonly verdict: string; readonly observed: string }[];
}
