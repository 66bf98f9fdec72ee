import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { compareDebianVersions } from './debian.ts';
import { compareUapiVersions } from './uapi10.ts';

const sign = (n: number) => Math.sign(n);
const dpkgMissing = spawnSync('dpkg', ['--version']).error !== undefined;
const analyzeMissing = spawnSync('systemd-analyze', ['compare-versions', '1', '1']).status !== 0;

/** Ordered lists; every pair in a list must compare as its positions do. */
const debianOrder = [
  '1.0~~',
  '1.0~~a',
  '1.0~',
  '1.0',
  '1.0-1',
  '1.0-1+b1',
  '1.0a',
  '1.0+really',
  '1.00001',
  '1.10',
  '1:0.1',
];
const uapiOrder = ['1.4.0~rc1', '1.4.0', '1.4.0-1', '1.4.0^post', '1.4.1', '1.10', '2'];

test('compareDebianVersions orders a known list', () => {
  for (const [i, a] of debianOrder.entries())
    for (const [j, b] of debianOrder.entries())
      assert.equal(sign(compareDebianVersions(a, b)), sign(i - j), `${a} ${b}`);
});

test('compareUapiVersions orders a known list', () => {
  for (const [i, a] of uapiOrder.entries())
    for (const [j, b] of uapiOrder.entries())
      assert.equal(sign(compareUapiVersions(a, b)), sign(i - j), `${a} ${b}`);
});

const piece = fc.stringMatching(/^[0-9][0-9a-zA-Z.+~]{0,6}(-[0-9a-z.~]{1,4})?$/);

test('compareDebianVersions agrees with dpkg', { skip: dpkgMissing && 'dpkg is not on this machine' }, () => {
  fc.assert(
    fc.property(piece, piece, (a, b) => {
      const less = spawnSync('dpkg', ['--compare-versions', a, 'lt', b]).status === 0;
      const equal = spawnSync('dpkg', ['--compare-versions', a, 'eq', b]).status === 0;
      assert.equal(sign(compareDebianVersions(a, b)), less ? -1 : equal ? 0 : 1, `${a} ${b}`);
    }),
    { numRuns: 300 },
  );
});

const uapiPiece = fc.stringMatching(/^[0-9a-z.~^-]{1,8}$/);

test('compareUapiVersions agrees with systemd-analyze', {
  skip: analyzeMissing && 'systemd-analyze is too old or absent',
}, () => {
  fc.assert(
    fc.property(uapiPiece, uapiPiece, (a, b) => {
      const lines = spawnSync('systemd-analyze', ['compare-versions', '--', a, b], {
        encoding: 'utf8',
      }).stdout;
      const mark = / ([<>]|==) /.exec(lines)?.[1];
      assert.equal(
        sign(compareUapiVersions(a, b)),
        mark === '<' ? -1 : mark === '>' ? 1 : 0,
        `${a} ${b}: ${lines}`,
      );
    }),
    { numRuns: 300 },
  );
});
