import { type Diagnostic, PlinthError } from '@plinth/base';
import type { PolicyReport } from './check-policy.ts';
import type { Finding } from './finding.ts';

/**
 * requirePolicy lets a build go on only when nothing was found.
 * @throws policy/violations with one diagnostic for each finding and each stale waiver
 */
export function requirePolicy(report: PolicyReport): void {
  const diagnostics = [
    ...report.findings.map(findingDiagnostic),
    ...report.staleWaivers.map(waiverDiagnostic),
  ];
  if (diagnostics.length === 0) return;
  const count = diagnostics.length === 1 ? 'one finding' : `${diagnostics.length} findings`;
  throw new PlinthError('policy/violations', `Cannot pass the image policy: ${count}, expected none`, {
    diagnostics,
    details: { findings: diagnostics.length },
  });
}

function findingDiagnostic({ rule, subject, package: owner, reason }: Finding): Diagnostic {
  const from = owner === undefined ? '' : ` (from ${owner})`;
  return {
    code: `policy/${rule}`,
    severity: 'error',
    message: `Cannot ship ${subject}${from}: ${reason}`,
    path: subject,
  };
}

function waiverDiagnostic({ waiver, state }: PolicyReport['staleWaivers'][number]): Diagnostic {
  const about = `the waiver of ${waiver.name} for ${waiver.rule} at ${waiver.path}`;
  const message =
    state === 'expired'
      ? `Cannot use ${about}: it expired on ${waiver.expires}, expected a later date`
      : `Cannot keep ${about}: it excuses nothing, expected a finding it stands for`;
  return { code: `policy/waiver-${state}`, severity: 'error', message, path: waiver.path };
}
