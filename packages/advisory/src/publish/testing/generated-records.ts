import fc from 'fast-check';
import type { AdvisoryRecord, RecordProduct, RecordStatus, VexJustification } from '../../model/index.ts';

// Records of any shape the schema allows, hostile texts included. Every one agrees with itself.

const version = fc.stringMatching(/^[0-9][A-Za-z0-9.~^+-]{0,10}$/);
/** With everything that a version of Debian, Go or npm may hold. */
const packageVersion = fc.stringMatching(/^[0-9][0-9.+:~-]{0,10}$/);
const packageName = fc.stringMatching(/^[a-z0-9][a-z0-9+.-]{0,10}$/);
const hostile = fc.constantFrom(
  '<script>alert(1)</script>',
  ']]>&amp;"\'',
  '../../etc/passwd',
  '=cmd|calc',
  'a,b\n"c"',
  'é 漢 😀',
  'Fixed in x 1.',
  'Update to y.',
);
const text = fc.oneof(
  hostile,
  fc
    .string({ unit: 'grapheme', maxLength: 30 })
    .filter((value) => /^[\t\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]*$/u.test(value)),
);
const line = text
  .map((value) => value.replaceAll(/[\t\n]/g, ' ').trim())
  .filter((value) => /^\S(.*\S)?$/u.test(value));
const day = fc.integer({ min: 0, max: 700 });
const instant = (days: number) => new Date(Date.UTC(2026, 0, 1 + days)).toISOString().replace('.000Z', 'Z');

const id = fc.oneof(
  fc.integer({ min: 1000, max: 999_999 }).map((number) => `CVE-2026-${number}`),
  fc.stringMatching(/^GHSA(-[23456789cfghjmpqrvwx]{4}){3}$/),
  fc.integer({ min: 1000, max: 9999 }).map((number) => `GO-2026-${number}`),
  fc.integer({ min: 1, max: 9999 }).map((number) => `DSA-${number}-1`),
  fc
    .tuple(fc.stringMatching(/^[a-z][a-z0-9+.-]{1,8}$/), packageVersion)
    .map(([name, at]) => `UPDATE:${name}/${at}`),
);

const products = fc
  .uniqueArray(fc.tuple(version, fc.constantFrom('x86-64', 'arm64')), {
    minLength: 1,
    maxLength: 4,
    selector: (pair) => pair.join('_'),
  })
  .map((pairs) =>
    pairs.map(([at, architecture]): RecordProduct => {
      return { id: `plinth_${at}_${architecture}`, name: 'Plinth', version: at, architecture };
    }),
  );

const component = fc
  .record({
    ecosystem: fc.constantFrom('debian' as const, 'go' as const, 'npm' as const),
    name: packageName,
    version: packageVersion,
    firstAffected: fc.option(packageVersion, { nil: undefined }),
    fixVersion: fc.option(packageVersion, { nil: undefined }),
    files: fc.array(line, { maxLength: 2 }),
  })
  .map(({ firstAffected, fixVersion, ...rest }) => ({
    ...rest,
    purl: `pkg:${rest.ecosystem === 'debian' ? 'deb/debian' : rest.ecosystem}/${rest.name}@${encodeURIComponent(rest.version)}`,
    binaries: [rest.name],
    ...(firstAffected !== undefined && { firstAffected }),
    ...(fixVersion !== undefined && { fixVersion }),
  }));
const components = fc.uniqueArray(component, { maxLength: 3, selector: ({ purl }) => purl });

const justification = fc.constantFrom<VexJustification>(
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
);

function statusOf(product: RecordProduct, all: readonly RecordProduct[]): fc.Arbitrary<RecordStatus> {
  const last = all.at(-1)?.id;
  return fc
    .record({
      verdict: fc.constantFrom(
        'open' as const,
        'not-affected' as const,
        'unknown' as const,
        'fixed' as const,
      ),
      why: justification,
      components,
      reason: text,
      hasFix: fc.boolean(),
    })
    .map(({ verdict: drawn, why, hasFix, ...rest }): RecordStatus => {
      // The last product is the one with the fix, where one is named.
      const verdict = product.id === last ? 'fixed' : drawn;
      return {
        ...rest,
        product: product.id,
        verdict,
        ...(verdict === 'not-affected' && { justification: why }),
        ...(verdict === 'open' && hasFix && last !== undefined && { fixedInProduct: last }),
        evidence: [],
        decidedAt: instant(1),
      };
    });
}

/** One record. @param number of its id */
export function generatedRecord(number: number): fc.Arbitrary<AdvisoryRecord> {
  return products
    .chain((all) =>
      fc.record({
        all: fc.constant(all),
        statuses: fc.tuple(...all.map((product) => statusOf(product, all))),
        ids: fc.uniqueArray(id, { minLength: 1, maxLength: 4 }),
        state: fc.constantFrom(
          'active' as const,
          'disputed' as const,
          'rejected' as const,
          'withdrawn' as const,
        ),
        title: line,
        description: text,
        remedy: fc.option(text, { nil: undefined }),
        start: day,
        more: fc.integer({ min: 0, max: 3 }),
        isWithdrawn: fc.boolean(),
        reason: line,
        score: fc.constantFrom(
          undefined,
          'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
          'CVSS:3.0/AV:L/AC:H/PR:L/UI:R/S:C/C:L/I:N/A:L',
          'nonsense',
        ),
      }),
    )
    .map(
      ({
        all,
        statuses,
        ids,
        state,
        title,
        description,
        remedy,
        start,
        more,
        isWithdrawn,
        reason,
        score,
      }) => {
        // The canonical name is the CVE identifier where there is one.
        const [first = '', ...aliases] = ids.toSorted(
          (left, right) => Number(right.startsWith('CVE-')) - Number(left.startsWith('CVE-')),
        );
        const revisions = Array.from({ length: more + 1 }, (_, index) => {
          return { number: index + 1, date: instant(start + index), summary: `Change ${index + 1}` };
        });
        return {
          format: 1 as const,
          id: `PLSA-2026-${String(number).padStart(4, '0')}`,
          vulnerability: { id: first, aliases: aliases.toSorted(), state },
          title,
          description,
          weaknesses: [],
          severities: score === undefined ? [] : [{ source: 'nvd', level: 'high' as const, vector: score }],
          products: all,
          statuses,
          remediations:
            remedy === undefined || remedy === ''
              ? []
              : [
                  {
                    kind: 'workaround' as const,
                    text: remedy,
                    products: all.map((product) => product.id),
                    restart: 'none' as const,
                  },
                ],
          references: [],
          clocks: {},
          state: 'final' as const,
          publishedAt: instant(start),
          modifiedAt: instant(start + more),
          revisions,
          ...(isWithdrawn && { withdrawn: { at: instant(start + more), reason } }),
        };
      },
    );
}

/** A handful of records with ids of their own. */
export const generatedRecords: fc.Arbitrary<readonly AdvisoryRecord[]> = fc
  .integer({ min: 1, max: 4 })
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => generatedRecord(index + 1))));
