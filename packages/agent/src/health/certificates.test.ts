import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeAuthority } from '../testing/authority.ts';
import { fakeSys } from '../testing/fake-sys.ts';
import { judgeValidity, readValidity } from './certificates.ts';

const DAY_MS = 24 * 60 * 60_000;
const NOW_MS = Date.UTC(2026, 10, 21);
const valid = (days: number) => ({
  path: '/pki/a.crt',
  notBeforeMs: NOW_MS - DAY_MS,
  notAfterMs: NOW_MS + days * DAY_MS,
});

test('judgeValidity looks for the first to end', () => {
  assert.deepEqual(judgeValidity([valid(300), valid(14)], NOW_MS, 14), {
    verdict: 'pass',
    observed: '2 seen, the first ends 2026-12-05',
  });
  const cases = [
    [valid(13.9), 'fail', /ends in 13 days/],
    [valid(-1), 'fail', /has ended/],
    [{ ...valid(300), notBeforeMs: NOW_MS + 1 }, 'fail', /clock is wrong/],
    [{ path: '/pki/a.crt', problem: 'absent' }, 'fail', /a\.crt is absent/],
    [{ path: '/pki/a.crt', problem: 'unreadable' }, 'unknown', /unreadable/],
  ] as const;
  for (const [found, verdict, observed] of cases) {
    const finding = judgeValidity([valid(300), found], NOW_MS, 14);
    assert.equal(finding.verdict, verdict);
    assert.match(finding.observed, observed);
  }
  assert.equal(judgeValidity([], NOW_MS, 14).verdict, 'unknown');
});

test('readValidity finds the certificate beside a key and inside a kubeconfig, and keeps nothing else', async () => {
  using authority = makeAuthority();
  const { certificatePem, keyPem } = authority.issue({ notAfter: '20270101000000Z' });
  const data = Buffer.from(certificatePem).toString('base64');
  const sys = fakeSys({
    files: {
      '/pki/both.pem': `${keyPem}\n${certificatePem}`,
      '/etc/admin.conf': `users:\n- user:\n    client-certificate-data: ${data}\n    client-key-data: c2VjcmV0\n`,
      '/pki/torn.pem': certificatePem.slice(0, 200),
      '/etc/torn.conf': 'users: [',
    },
  });
  const good = { notBeforeMs: Date.UTC(2020, 0, 1), notAfterMs: Date.UTC(2027, 0, 1) };
  assert.deepEqual(await readValidity(sys, '/pki/both.pem'), { path: '/pki/both.pem', ...good });
  assert.deepEqual(await readValidity(sys, '/etc/admin.conf'), { path: '/etc/admin.conf', ...good });
  for (const path of ['/pki/torn.pem', '/etc/torn.conf'])
    assert.deepEqual(await readValidity(sys, path), { path, problem: 'unreadable' });
  assert.deepEqual(await readValidity(sys, '/none'), { path: '/none', problem: 'absent' });
});
