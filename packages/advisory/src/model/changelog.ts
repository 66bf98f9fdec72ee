import type { Confidence } from './evidence.ts';

/** One entry of a Debian changelog (deb-changelog(5)). */
export interface ChangelogEntry {
  readonly source: string;
  readonly version: string;
  /** "trixie-security", "unstable", "UNRELEASED", … */
  readonly distributions: readonly string[];
  readonly urgency: string;
  /** From the trailer line, ISO 8601; absent when unreadable. */
  readonly date?: string;
  /** The lines between heading and trailer, as they are. */
  readonly text: string;
}

/** What an entry does with an identifier it names. Only `fixes` closes anything. */
export type IdentifierRole = 'fixes' | 'mentions' | 'regression' | 'dropped';

/** One identifier in one entry. */
export interface ChangelogClaim {
  /** In its one spelling, see normaliseId. */
  readonly id: string;
  readonly role: IdentifierRole;
  /** The version whose entry says so. */
  readonly version: string;
  readonly date?: string;
  /** The bullet it stands in, in one line, at most 500 characters. */
  readonly text: string;
  readonly confidence: Confidence;
}
