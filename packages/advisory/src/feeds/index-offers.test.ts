import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indexOf, packageParagraph } from '@plinth/debian/testing';
import { offersOf } from './index-offers.ts';

const offered = (...paragraphs: string[]) =>
  offersOf(indexOf(paragraphs)).map(({ source, version, binaries }) => [source, version, ...binaries]);

test('a source that an archive keeps for Built-Using alone (Extra-Source-Only) offers no fix', () => {
  // trixie-security lists golang-1.24 among its sources, and has no package of it: who takes it for a fix is wrong.
  const builtUsing = 'golang-1.24 (= 1.24.4-1+deb13u9), glibc (= 2.41-12+deb13u9)';
  assert.deepEqual(
    offered(
      packageParagraph('containerd', '1.7.24~ds1-6+deb13u1', {
        'Built-Using': builtUsing,
        'Static-Built-Using': builtUsing,
      }),
    ),
    [['containerd', '1.7.24~ds1-6+deb13u1', 'containerd']],
  );
});

test('what wraps signed copies offers the source that was compiled', () => {
  const source = 'linux-signed-amd64 (6.12.117+1)';
  assert.deepEqual(
    offered(
      packageParagraph('linux-image-6.12.117+deb13-cloud-amd64', '6.12.117-1', {
        Source: source,
        'Built-Using': 'linux (= 6.12.117-1)',
      }),
      packageParagraph('linux-image-cloud-amd64', '6.12.117-1', { Source: source }),
      packageParagraph('bpftool', '7.5.0+6.12.117-1', { Source: 'linux (6.12.117-1)' }),
    ),
    [['linux', '6.12.117-1', 'bpftool', 'linux-image-6.12.117+deb13-cloud-amd64', 'linux-image-cloud-amd64']],
  );
});

test('a rebuild is its source again, and of two versions the newer one is the offer', () => {
  assert.deepEqual(
    offered(
      packageParagraph('jq', '1.7.1-6+deb13u3+b1'),
      packageParagraph('libjq1', '1.7.1-6+deb13u4', { Source: 'jq' }),
      packageParagraph('zlib1g', '1:1.3.dfsg+really1.3.1-1+b1', {
        Source: 'zlib (1:1.3.dfsg+really1.3.1-1)',
      }),
    ),
    [
      ['jq', '1.7.1-6+deb13u4', 'libjq1'],
      ['zlib', '1:1.3.dfsg+really1.3.1-1', 'zlib1g'],
    ],
  );
});
