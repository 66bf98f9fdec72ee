import type { ScanReport } from '../../model/index.ts';
import { writeCycloneDxVex } from '../cyclonedx/cyclonedx-vex.ts';
import { writeOpenVex } from '../openvex/openvex.ts';
import type { Publisher } from '../record/publisher.ts';
import { writeSarif } from '../sarif/sarif.ts';
import { findingsAsRecords, productOf } from './findings-as-records.ts';

/** What `plinth cve scan` can be printed as, beside its own forms. */
export type FindingsFormat = 'sarif' | 'cyclonedx-vex' | 'openvex';

/** A scan is a statement of whoever ran it, at no address. */
const SCANNER: Publisher = { name: 'plinth cve scan', url: 'urn:plinth' };

/**
 * renderFindings writes the result of a scan in a standard form, ending with a line end. Every form holds the same facts; the ages of
 * feeds are in SARIF only, and what could not be looked at is there as notifications.
 */
export function renderFindings(report: ScanReport, format: FindingsFormat): string {
  if (format === 'sarif') return writeSarif(report);
  const records = findingsAsRecords(report);
  const about = { publisher: SCANNER, at: report.judgedAt };
  if (format === 'cyclonedx-vex') return writeCycloneDxVex(records, about);
  const product = productOf(report.subject).id;
  return writeOpenVex(records, {
    ...about,
    id: `urn:plinth:scan:${encodeURIComponent(product)}:${report.judgedAt}`,
  });
}
