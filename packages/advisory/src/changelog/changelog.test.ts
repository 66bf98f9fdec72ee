import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { architecturesOf, classifyIds, extractClaims, findIds, parseChangelog } from './index.ts';

const jq = `jq (1.7.1-6+deb13u4) trixie-security; urgency=medium

  * Fix a regression introduced by the fix for CVE-2026-44777:
    a module reached only through another module was dropped.

 -- Someone <someone@example.org>  Tue, 10 Nov 2026 09:00:00 +0100

jq (1.7.1-6+deb13u3) trixie-security; urgency=high

  * Cherry-pick upstream commit for the following:
    CVE-2026-44777, CVE-2026-40612,
    GHSA-ggc9-rpv2-xgpm
  * Fix CVE-2024-53427 for real. The patch carried since 1.7.1-5 never had any effect.

 -- Someone <someone@example.org>  Mon, 09 Nov 2026 09:00:00 +0100
`;

function roles(text: string, version = '1.0-1'): Record<string, string> {
  return Object.fromEntries(classifyIds({ text, version }).map(({ id, role }) => [id, role]));
}

test('parseChangelog gives every entry with suite, urgency, date and lines', () => {
  const [newest, older, ...rest] = parseChangelog(jq);
  assert.deepEqual(rest, []);
  assert.equal(newest?.version, '1.7.1-6+deb13u4');
  assert.deepEqual(newest?.distributions, ['trixie-security']);
  assert.equal(newest?.urgency, 'medium');
  assert.equal(newest?.date, '2026-11-10T08:00:00.000Z');
  assert.deepEqual(newest?.span, { firstLine: 1, lastLine: 6 });
  assert.equal(older?.urgency, 'high');
});

test('an entry without a trailer ends at the next heading; what is no entry is skipped', () => {
  const entries = parseChangelog(
    'Local variables:\nmode: x\na (1) sid; urgency=low\n\n  * CVE-2020-1234\nb (2) sid; urgency=low\n  * x\n',
  );
  assert.deepEqual(
    entries.map(({ source, text }) => [source, text]),
    [
      ['a', '  * CVE-2020-1234'],
      ['b', '  * x'],
    ],
  );
});

test('a mention is not a fix: regression, correction and fix of jq are told apart', () => {
  const [newest, older] = parseChangelog(jq);
  assert.deepEqual(newest && roles(newest.text), { 'CVE-2026-44777': 'regression' });
  assert.deepEqual(older && roles(older.text), {
    'CVE-2026-44777': 'fixed',
    'CVE-2026-40612': 'fixed',
    'GHSA-ggc9-rpv2-xgpm': 'fixed',
    'CVE-2024-53427': 'corrected',
  });
  const claims = newest && extractClaims(newest);
  assert.equal(claims?.[0]?.role, 'regression');
});

test('dropped and merely refreshed patches close nothing, an added patch whose name says "Drop" does', () => {
  assert.deepEqual(roles('  * d/p/CVE-2025-62408.patch: Drop patch, included upstream'), {
    'CVE-2025-62408': 'dropped',
  });
  assert.deepEqual(
    roles('  * Drop patches applied upstream:\n    - CVE-2019-3855.patch\n    - CVE-2019-3856.patch'),
    {
      'CVE-2019-3855': 'dropped',
      'CVE-2019-3856': 'dropped',
    },
  );
  assert.deepEqual(roles('  * d/p/CVE-2025-13034.patch: refresh after gbp pq round-trip'), {
    'CVE-2025-13034': 'mentioned',
  });
  assert.deepEqual(
    roles(
      '  * d/p/Drop-unicast-queries.patch:\n    Add patch from upstream to fix attacks\n    (CVE-2017-6519)',
    ),
    {
      'CVE-2017-6519': 'fixed',
    },
  );
  assert.deepEqual(roles('  * CVE-2026-39826: a script tag with whitespace in its type was not escaped'), {
    'CVE-2026-39826': 'fixed',
  });
  assert.deepEqual(roles('  * Incomplete cleanup in Autofill (CVE-2026-1234)'), { 'CVE-2026-1234': 'fixed' });
});

test('a fix named before and after counts as a fix, whatever else the entry says of it', () => {
  assert.deepEqual(
    roles('  * Fix CVE-2023-28320\n  * symbols: Drop curl_jmpenv, not built due to CVE-2023-28320'),
    {
      'CVE-2023-28320': 'fixed',
    },
  );
});

for (const [written, ids] of [
  ['CVE-2024-1001/1002/1003', ['CVE-2024-1001', 'CVE-2024-1002', 'CVE-2024-1003']],
  ['CVE-2024-1001, -1002', ['CVE-2024-1001', 'CVE-2024-1002']],
  ['CVE-2024-{1001,1002}', ['CVE-2024-1001', 'CVE-2024-1002']],
  ['CVE-2024-1001 to CVE-2024-1003', ['CVE-2024-1001', 'CVE-2024-1002', 'CVE-2024-1003']],
  ['CVE 2025-22874', ['CVE-2025-22874']],
  ['cve-2014-8140-test-compr-eb', ['CVE-2014-8140']],
  ['CAN-2004-0492', ['CVE-2004-0492']],
  ['CVE-2024-12345, 2025-03-01', ['CVE-2024-12345']],
  [
    'ghsa-GGC9-rpv2-xgpm and DSA-5001-1, TEMP-0000000-ABCDEF',
    ['GHSA-ggc9-rpv2-xgpm', 'DSA-5001-1', 'TEMP-0000000-ABCDEF'],
  ],
  ['CVE-2020-1 XCVE-2020-12345 CVE-2020-1234567890123456789012', []],
] as const) {
  test(`findIds reads "${written}"`, () => {
    assert.deepEqual(
      findIds(written).map(({ id }) => id),
      ids,
    );
  });
}

test('an identifier broken by a line end or a backslash is whole again, and its span is in the source', () => {
  const text = '  * Fix overflow (CVE-2024-\n    12345) and CVE-\\\n    2024-54321.';
  const found = classifyIds({ text, version: '1' });
  assert.deepEqual(
    found.map(({ id }) => id),
    ['CVE-2024-12345', 'CVE-2024-54321'],
  );
  const [first] = found;
  assert.match(text.slice(first?.span.start, first?.span.end), /^CVE-2024-\s+12345$/);
});

test('a fix stays one whatever else its sentence drops, reverts, renames or breaks', () => {
  for (const text of [
    'Disable SSLv3 to fix CVE-2014-3566',
    'Remove support for X to fix CVE-2024-1111',
    'Remove debug code, fixes CVE-2024-1111',
    'Drop obsolete patches and fix CVE-2024-1111',
    'Refresh patches, add CVE-2024-1111.patch',
    'Refresh patches and fix CVE-2024-1111',
    'CVE-2024-1111: does not apply bounds to the header length',
    'CVE-2024-1111: did not apply limits',
    'CVE-2024-1111 does not affect only servers',
    'Fix tests and CVE-2024-1111',
    'Fix failing test, CVE-2024-1111',
    'Fix CVE-2024-1111 and add a test for it',
    'Add patch from upstream to fix CVE-2024-1111 (regression test included)',
    'Fix use after free related to CVE-2024-1111',
    'Fix remote code execution due to CVE-2024-1111',
    'Delete temporary files after use, fix for CVE-2024-1111',
    'Fix CVE-2024-1111: previous fix was incomplete',
    'CVE-2024-1111: Regression in parser allows RCE',
    'Fix regression in URL parsing that caused CVE-2024-1111',
    'Fix a broken bounds check, fix CVE-2024-1111',
    'Fix CVE-2024-1111 (broken length check)',
    'Fix broken length check (CVE-2024-1111)',
    'Unbreak build. Fix CVE-2024-1111',
    'Do not follow symlinks when removing files (CVE-2024-1111)',
    'Removing a hunk of memory twice could crash, fixes CVE-2024-1111',
    'Revert to the safe default, fixes CVE-2024-1111',
    'Revert commit abc which introduced CVE-2024-1111',
    'Disable the vulnerable module by default, fixing CVE-2024-1111',
    'Disable JNDI lookups (CVE-2021-44228)',
    'Delete expired certificates (CVE-2024-1111)',
    'Drop privileges before fixing permissions (CVE-2024-1111)',
    'Update to 1.2.3 to fix CVE-2024-1111',
    'Update patches to fix CVE-2024-1111',
    'Rename temp files safely, fixes CVE-2024-1111',
    'Renaming a directory now fixes up references (CVE-2024-1111)',
    'Fix CVE-2024-1111, not yet fixed upstream',
    'No longer vulnerable to CVE-2024-1111',
    'Fix trailing whitespace handling (CVE-2024-1111)',
    'Fix path prefix (artefact upload), CVE-2024-1111',
    'Fix crash because of CVE-2024-1111',
    'Fix vulnerability caused by CVE-2024-1111',
    'd/p/CVE-2024-1111.patch: drop privileges earlier',
    'd/p/CVE-2024-1111.patch: disable external entities',
    'debian/patches/CVE-2024-1111.patch: delete files safely',
    'debian/patches/0001-remove-x-CVE-2024-1111.patch: Add',
  ]) {
    const roles = classifyIds({ text: `  * ${text}`, version: '1.2-3' }).map(({ role }) => role);
    assert.ok(
      roles.length > 0 && roles.every((role) => role === 'fixed' || role === 'corrected'),
      `${text}: ${roles}`,
    );
  }
  for (const text of [
    'Drop CVE-2024-1111.patch, applied upstream',
    'Remove patches for CVE-2024-1111, included upstream',
    'Refresh CVE-2024-1111.patch',
    'Disable the fix for CVE-2024-1111, it breaks boot',
    'Fix regression introduced by the fix for CVE-2024-1111',
    'Drop the fix for CVE-2024-1111, included upstream',
    'Remove fix for CVE-2024-1111',
    'Drop patches fixing CVE-2024-1111, included upstream',
    'Remove the security fix for CVE-2024-1111',
    'CVE-2024-1111 does not affect Debian',
    'CVE-2024-1111: not fixed',
    'Refresh patches for CVE-2024-1111',
  ]) {
    const roles = classifyIds({ text: `  * ${text}`, version: '1.2-3' }).map(({ role }) => role);
    assert.ok(
      roles.length > 0 && roles.every((role) => role !== 'fixed' && role !== 'corrected'),
      `${text}: ${roles}`,
    );
  }
});

test('architectures are told only when the bullet is plain about them', () => {
  assert.deepEqual(architecturesOf('[arm64] KVM: arm64: Transfer pages (CVE-2026-98466)'), ['arm64']);
  assert.deepEqual(architecturesOf('CVE-2026-54875 ("Poly1305 carry", ARM64/RISC-V only)'), [
    'arm64',
    'riscv64',
  ]);
  assert.equal(architecturesOf('weak signature in Pointer Authentication support for ARM'), undefined);
  assert.equal(architecturesOf('[SECURITY] for testing only'), undefined);
  assert.deepEqual(architecturesOf('CVE-2026-1234: overflow in the assembler code, only affects s390x'), [
    's390x',
  ]);
  // What is "only" there is a build, a test or the fix itself, or it is one flaw of several.
  for (const text of [
    'Fix CVE-2026-1234. Disable the tests on armhf only',
    'Fix CVE-2026-1234 (apply the patch only on arm64)',
    'Fix CVE-2026-1234 by building with -O1, on mips64el only',
    'CVE-2026-1234: not only on s390x',
    'CVE-2026-1234 was fixed only on amd64 before',
    'Fix CVE-2026-1234 and CVE-2026-1235 (arm64 only)',
    'CVE-2026-1234: wrong result, until now seen on ppc64el only',
    'Enable CET only for amd64 (mitigates CVE-2026-1234)',
  ])
    assert.equal(architecturesOf(text), undefined, text);
});

test('any text gives claims without an exception, each span inside the text', () => {
  const piece = fc.constantFrom(
    '  * ',
    '\n',
    '    - ',
    'Fix ',
    'CVE-2024-1234',
    'CVE-2024-',
    '5678',
    '/',
    ', -',
    'drop ',
    'regression ',
    '\\\n',
    '\ufffd',
    '(',
    '. A',
    'GHSA-ggc9-rpv2-xgpm',
    ' to ',
    '\t',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 6 })), { maxLength: 60 }), (pieces) => {
      const text = pieces.join('');
      for (const { span } of classifyIds({ text, version: '1' })) {
        assert.ok(span.start >= 0 && span.start < span.end && span.end <= text.length);
      }
      parseChangelog(`a (1) sid; urgency=low\n${text}\n -- x  Tue\n`);
    }),
    { numRuns: 500 },
  );
});

test('a hostile changelog is read in bounded time', () => {
  const hostile = [
    `  * ${'CVE-2024-1111/'.repeat(60_000)}`,
    `  * ${'drop '.repeat(100_000)}CVE-2024-1`,
    `${'(((('.repeat(50_000)} CVE-2024-12345`,
    `  * ${'fix regression '.repeat(20_000)} CVE-2024-12345`,
  ].join('\n');
  const started = performance.now();
  for (const entry of parseChangelog(
    `a (1) sid; urgency=low\n${hostile}\n -- x <y@example.org>  Tue, 10 Nov 2026 09:00:00 +0100\n`,
  ))
    classifyIds(entry);
  assert.ok(performance.now() - started < 3000);
});
