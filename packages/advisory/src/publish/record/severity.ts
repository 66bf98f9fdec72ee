import type { AdvisoryRecord, SeverityClaim, SeverityLevel } from '../../model/index.ts';

const ORDER: readonly SeverityLevel[] = ['critical', 'high', 'medium', 'low', 'none', 'unknown'];

/** worstSeverity is the worst that any source says; "unknown" when none says anything. */
export function worstSeverity(claims: readonly SeverityClaim[]): SeverityLevel {
  return ORDER.find((level) => claims.some((claim) => claim.level === level)) ?? 'unknown';
}

/** severityText says what each source says: sources disagree, and the reader must see it. */
export function severityText(record: Pick<AdvisoryRecord, 'severities'>): string {
  return record.severities
    .map(({ source, level, score, vector }) => {
      const detail = [score === undefined ? '' : String(score), vector ?? ''].filter((part) => part !== '');
      return `${source}: ${level}${detail.length > 0 ? ` (${detail.join(', ')})` : ''}`;
    })
    .join('; ');
}
