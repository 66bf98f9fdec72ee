import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { licenceOf } from './debian-licence.ts';

const FORMAT = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n';

function copyright(...licences: string[]): string {
  return [
    FORMAT,
    ...licences.map((name, index) => `Files: ${index}/*\nCopyright: someone\nLicense: ${name}\n text`),
  ].join('\n\n');
}

const cases: readonly (readonly [licences: readonly string[], expected: string | undefined])[] = [
  [['GPL-2'], 'GPL-2.0-only'],
  [['GPL-2+', 'Expat', 'GPL-2+'], 'GPL-2.0-or-later AND MIT'],
  [['LGPL-2.1+'], 'LGPL-2.1-or-later'],
  [['GPL-2.0+'], 'GPL-2.0-or-later'],
  [['BSD-3-clause or GPL-2'], 'BSD-3-Clause OR GPL-2.0-only'],
  [['BSD-3-clause or GPL-2', 'ISC'], '(BSD-3-Clause OR GPL-2.0-only) AND ISC'],
  [['GPL-2+ or Artistic-2.0, and BSD-3-clause'], '(GPL-2.0-or-later OR Artistic-2.0) AND BSD-3-Clause'],
  [['GPL-2 with Linux-syscall-note exception'], 'GPL-2.0-only WITH Linux-syscall-note'],
  [['CC0'], 'CC0-1.0'],
  [['GPL-3+ with a promise exception'], undefined],
  [['GPL-7'], undefined],
  [['LGPL-1.5'], undefined],
  [['LGPL'], undefined],
  [['Expat', 'public-domain'], undefined],
  [['Expat or mine'], undefined],
  [[''], undefined],
  [[], undefined],
];

for (const [licences, expected] of cases) {
  test(`licenceOf reads ${JSON.stringify(licences)}`, () => {
    assert.equal(licenceOf(copyright(...licences)), expected);
  });
}

test('licenceOf takes only what says that it is of the format', () => {
  assert.equal(licenceOf('Files: *\nLicense: Expat\n'), undefined);
  assert.equal(licenceOf('This package was debianized by someone.\nLicense: GPL-2\n'), undefined);
});

test('licenceOf takes any text, and gives nothing but letters of an SPDX expression', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.string(), fc.constantFrom('GPL-2+', 'Expat or ISC', 'X, and Zlib'))),
      (names) => {
        assert.match(
          licenceOf(copyright(...names.map((name) => name.replaceAll('\n', ' ')))) ?? '',
          /^[\w.+() -]*$/,
        );
      },
    ),
  );
});
