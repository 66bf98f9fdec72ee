import type { ChangelogClaim, ChangelogEntry, IdentifierRole } from '../model/index.ts';
import { architecturesOf } from './architectures.ts';
import { classifyId, type IdReason } from './classify-id.ts';
import { findIds } from './find-ids.ts';
import { readItems } from './read-items.ts';
import { type IdRole, NO_CHANGE } from './role-rules.ts';

/** What an entry says about one identifier, with the words that decided. */
export interface ClassifiedId {
  readonly id: string;
  readonly role: IdRole;
  readonly reason: IdReason;
  /** Characters of the entry's text that name it. */
  readonly span: { readonly start: number; readonly end: number };
  /** The bullet in one line, at most 500 characters. */
  readonly text: string;
  /** Debian names of the only architectures that the flaw exists on, when the bullet says so; else absent. */
  readonly architectures?: readonly string[];
}

const TEXT_LIMIT_CHARACTERS = 500;
/** What weighs more when an entry names an identifier several times. */
const WEIGHT: Readonly<Record<IdRole, number>> = {
  corrected: 5,
  fixed: 4,
  regression: 3,
  dropped: 2,
  mentioned: 1,
};
const MODEL_ROLES: Readonly<Record<IdRole, IdentifierRole>> = {
  corrected: 'fixes',
  fixed: 'fixes',
  regression: 'regression',
  dropped: 'dropped',
  mentioned: 'mentions',
};

/** classifyIds gives every identifier an entry names, once, with what the entry does about it and why. Pure. */
export function classifyIds(entry: Pick<ChangelogEntry, 'text' | 'version'>): readonly ClassifiedId[] {
  const best = new Map<string, ClassifiedId & { readonly inFile: boolean }>();
  for (const item of readItems(entry.text)) {
    for (const found of findIds(item.text)) {
      const { role, reason, inFile } = classifyId(item.text, found, item.above, entry.version);
      const known = best.get(found.id);
      if (known && outranks(known, { role, inFile })) continue;
      const architectures = architecturesOf(item.text);
      best.set(found.id, {
        id: found.id,
        role,
        reason,
        inFile,
        span: { start: item.offsets[found.start] ?? 0, end: (item.offsets[found.end - 1] ?? 0) + 1 },
        text: item.text.replaceAll('\n', ' ').slice(0, TEXT_LIMIT_CHARACTERS),
        ...(architectures === undefined ? {} : { architectures }),
      });
    }
  }
  return [...best.values()].map(({ inFile: _, ...claim }) => claim);
}

interface Naming {
  readonly role: IdRole;
  readonly inFile: boolean;
}

/**
 * "Identical to 1.2 + fix.patch" outweighs every other naming, and a patch taken out outweighs the news that the new
 * version fixes the same: the version before had it already. A patch that comes in anew is no news but a fix.
 */
function outranks(known: ClassifiedId & Naming, next: Naming): boolean {
  if (known.reason.rule === NO_CHANGE) return true;
  if (known.role === 'dropped' && next.role === 'fixed') return !next.inFile;
  if (known.role === 'fixed' && next.role === 'dropped') return known.inFile;
  return WEIGHT[known.role] >= WEIGHT[next.role];
}

/** extractClaims gives what the changelog entry claims about each identifier it names. Pure. */
export function extractClaims(entry: ChangelogEntry): readonly ChangelogClaim[] {
  return classifyIds(entry).map(({ id, role, reason, text }) => ({
    id,
    role: MODEL_ROLES[role],
    version: entry.version,
    ...(entry.date === undefined ? {} : { date: entry.date }),
    text,
    confidence: role === 'fixed' && reason.rule === 'named without reservation' ? 'stated' : 'derived',
  }));
}
