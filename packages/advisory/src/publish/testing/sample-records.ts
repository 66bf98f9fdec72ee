import type { AdvisoryRecord, RecordComponent, RecordProduct, RecordStatus } from '../../model/index.ts';
import { componentPurl } from '../record/component-purl.ts';

// Real cases, measured between Debian 13.7 and trixie-security of November 2026: ids, versions and dates are those of the archive.
// Scores are examples: the archive has none.

const older: RecordProduct = {
  ...{ id: 'plinth_0.1.0_x86-64', name: 'Plinth', version: '0.1.0', architecture: 'x86-64' },
  released: '2026-09-20T12:00:00Z',
  digest: 'a'.repeat(64),
};
const newer: RecordProduct = {
  ...{ id: 'plinth_0.1.1_x86-64', name: 'Plinth', version: '0.1.1', architecture: 'x86-64' },
  released: '2026-11-20T12:00:00Z',
  digest: 'b'.repeat(64),
};
const arm: RecordProduct = {
  ...{ id: 'plinth_0.1.1_arm64', name: 'Plinth', version: '0.1.1', architecture: 'arm64' },
  digest: 'c'.repeat(64),
};

function debian(
  name: string,
  version: string,
  binaries: readonly string[],
  fixVersion?: string,
): RecordComponent {
  const purl = componentPurl({ ecosystem: 'debian', name, version }, 'trixie');
  return {
    ...{ ecosystem: 'debian', name, version, purl, binaries, files: [] },
    ...(fixVersion !== undefined && { fixVersion }),
  };
}

const at = '2026-11-21T06:00:00Z';

function record(
  number: number,
  fields: Partial<AdvisoryRecord> & Pick<AdvisoryRecord, 'vulnerability' | 'title'>,
) {
  const whole: AdvisoryRecord = {
    format: 1,
    id: `PLSA-2026-${String(number).padStart(4, '0')}`,
    description: fields.title,
    weaknesses: [],
    severities: [],
    products: [older, newer],
    statuses: [],
    remediations: [],
    references: [],
    clocks: {},
    state: 'final',
    publishedAt: at,
    modifiedAt: at,
    revisions: [{ number: 1, date: at, summary: 'First publication.' }],
    ...fields,
  };
  return whole;
}

function status(
  product: RecordProduct,
  verdict: RecordStatus['verdict'],
  reason: string,
  components: readonly RecordComponent[],
  more: Partial<RecordStatus> = {},
): RecordStatus {
  return { product: product.id, verdict, reason, components, evidence: [], decidedAt: at, ...more };
}

const active = (id: string, ...aliases: string[]) => ({ id, aliases, state: 'active' as const });
const sslFix = '3.5.7-1~deb13u3';
const ssl = (version: string, fix?: string) =>
  debian('openssl', version, ['libssl3t64', 'openssl-provider-legacy'], fix);
const later = '2026-11-22T06:00:00Z';

/** The clean case: one release has it, the next one has the fix. */
export const opensslRecord = record(1, {
  vulnerability: active('CVE-2026-42772'),
  title: 'openssl: read past the end of a buffer in DTLS',
  description:
    'A peer could make a program read past the end of a buffer.\nFixed by an update of the library.',
  weaknesses: [{ id: 'CWE-125', name: 'Out-of-bounds Read' }],
  severities: [
    { source: 'nvd', level: 'high', score: 7.5, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' },
    { source: 'plinth', level: 'medium' },
  ],
  knownExploited: { addedAt: '2026-10-02', dueAt: '2026-10-23', ransomware: false },
  statuses: [
    status(older, 'open', 'The image has 3.5.7-1~deb13u2.', [ssl('3.5.7-1~deb13u2', sslFix)], {
      fixedInProduct: newer.id,
    }),
    status(newer, 'fixed', `The image has ${sslFix}.`, [ssl(sslFix)]),
  ],
  remediations: [
    {
      kind: 'fix',
      text: 'plinth upgrade NODE',
      products: [older.id],
      restart: 'machine',
      url: 'https://advisories.example/fix',
    },
  ],
  references: [
    {
      url: 'https://security-tracker.example/CVE-2026-42772',
      summary: 'Debian security tracker',
      kind: 'external',
    },
  ],
  clocks: {
    seenAt: '2026-09-29T18:00:00Z',
    fixAvailableAt: '2026-09-29T12:00:00Z',
    releasedAt: newer.released ?? at,
  },
  revisions: [
    { number: 1, date: at, summary: 'First publication.' },
    { number: 2, date: later, summary: 'The fix is in 0.1.1.' },
  ],
  modifiedAt: later,
});

/** The changelog itself says: only ARM64 and RISC-V. */
export const opensslArmRecord = record(2, {
  vulnerability: active('CVE-2026-54875'),
  title: 'openssl: wrong result of AES on ARM64 and RISC-V',
  products: [older, newer, arm],
  statuses: [
    status(older, 'not-affected', 'Only ARM64 and RISC-V have the code.', [ssl('3.5.7-1~deb13u2')], {
      justification: 'vulnerable_code_not_present',
      evidence: [
        {
          kind: 'architecture',
          speaksFor: 'not-affected',
          statement: 'The image is of another architecture.',
          source: 'image',
          confidence: 'proven',
          predicate: { kind: 'other-architecture', affected: ['arm64', 'riscv64'] },
          outcome: { holds: 'yes', detail: 'The image is for amd64.' },
        },
      ],
    }),
    status(newer, 'not-affected', 'Only ARM64 and RISC-V have the code.', [], {
      justification: 'component_not_present',
    }),
    status(arm, 'unknown', 'The feed that would say is stale.', [ssl('3.5.7-1~deb13u2')]),
  ],
});

/** Epoch, "+really" and a rebuild without changes: versions that want escaping everywhere. */
export const zlibRecord = record(3, {
  vulnerability: active('CVE-2026-27171'),
  title: 'zlib: endless loop in crc32_combine',
  severities: [
    { source: 'nvd', level: 'low', score: 2.9, vector: 'CVSS:3.1/AV:L/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L' },
  ],
  statuses: [
    status(older, 'open', 'The image has a version before the fix.', [
      debian('zlib', '1:1.3.dfsg+really1.3.1-1', ['zlib1g'], '1:1.3.dfsg+really1.3.1-1+deb13u1'),
    ]),
    status(newer, 'fixed', 'The image has the fix.', [
      debian('zlib', '1:1.3.dfsg+really1.3.1-1+deb13u1', ['zlib1g']),
    ]),
  ],
});

/** A mention that was no fix: the record said it was, and is withdrawn. */
export const jqRecord = record(4, {
  vulnerability: { id: 'CVE-2026-44777', aliases: ['GHSA-5qpq-xqfv-j9pg'], state: 'disputed' },
  title: 'jq: <b>regression</b> of a fix & "others"',
  statuses: [
    status(newer, 'unknown', 'The entry repairs a regression.', [debian('jq', '1.7.1-6+deb13u4', ['jq'])]),
  ],
  products: [newer],
  withdrawn: { at: later, reason: 'The changelog mentions the id and fixes something else.' },
  state: 'interim',
});

/** No CVE at all. */
export const pcreRecord = record(5, {
  vulnerability: active('GHSA-r9hj-j2rw-4q3m'),
  title: 'pcre2: read past the end of a pattern',
  products: [newer],
  statuses: [
    status(newer, 'fixed', 'The image has 10.46-1~deb13u3.', [
      debian('pcre2', '10.46-1~deb13u3', ['libpcre2-8-0']),
    ]),
  ],
});

/** A security update without an identifier of any kind. */
export const nssRecord = record(6, {
  vulnerability: active('UPDATE:nss/2:3.110-1+deb13u5'),
  title: 'nss: certificate authorities that are no longer trusted',
  products: [newer],
  statuses: [status(newer, 'fixed', 'The image has it.', [debian('nss', '2:3.110-1+deb13u5', ['libnss3'])])],
});

/** What a Go program was built with; two names of one flaw, two components in one product. */
export const goRecord = record(7, {
  vulnerability: active('CVE-2026-39822', 'CVE-2026-39823', 'GO-2026-4321'),
  title: 'Go: crypto/tls accepts a wrong certificate',
  products: [older],
  severities: [
    { source: 'osv-go', level: 'unknown' },
    {
      source: 'nvd',
      level: 'high',
      vector: 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:N/SC:N/SI:N/SA:N',
    },
  ],
  statuses: [
    status(older, 'open', 'runc and containerd are built using it.', [
      {
        ...{ ecosystem: 'go', name: 'stdlib', version: '1.24.4', purl: 'pkg:golang/stdlib@1.24.4' },
        ...{
          binaries: ['runc', 'containerd'],
          files: ['/usr/bin/runc'],
          firstAffected: '1.24.0',
          fixVersion: '1.24.9',
        },
      },
      {
        ...{ ecosystem: 'npm', name: '@scope/tls', version: '2.0.0', purl: 'pkg:npm/%40scope/tls@2.0.0' },
        ...{ binaries: [], files: ['/usr/lib/node_modules/@scope/tls'] },
      },
    ]),
  ],
});

/** All of them. */
export const sampleRecords: readonly AdvisoryRecord[] = [
  opensslRecord,
  opensslArmRecord,
  zlibRecord,
  jqRecord,
  pcreRecord,
  nssRecord,
  goRecord,
];
