import assert from 'node:assert/strict';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { executeLevels, ipeVersion, readIpePolicy, renderIpePolicy } from './ipe-policy.ts';

const OS_DIR = join(import.meta.dirname, '../../../../os');

/** Lines the kernel acts on. */
function rulesOf(policy: string): string[] {
  return policy
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '');
}

suite('the policies of os/ipe', () => {
  const KERNEL = [
    'policy_name=plinth policy_version=1.4.0',
    'DEFAULT action=DENY',
    'op=KMODULE boot_verified=TRUE action=ALLOW',
    'op=KMODULE dmverity_signature=TRUE action=ALLOW',
    'op=FIRMWARE boot_verified=TRUE action=ALLOW',
    'op=FIRMWARE dmverity_signature=TRUE action=ALLOW',
  ];
  const EXECUTE = {
    audit: ['DEFAULT op=EXECUTE action=ALLOW'],
    signed: ['op=EXECUTE boot_verified=TRUE action=ALLOW', 'op=EXECUTE dmverity_signature=TRUE action=ALLOW'],
    open: ['DEFAULT op=EXECUTE action=ALLOW'],
  };
  for (const level of executeLevels) {
    test(`${level}: what the kernel takes into itself is ruled alike, and what executes as its name says`, async () => {
      const policy = await readIpePolicy(OS_DIR, level, '1.4.0~rc1');
      assert.deepEqual(rulesOf(policy), [...KERNEL, ...EXECUTE[level]]);
    });
  }
});

test('a line that the kernel would refuse is refused before it ends a boot', () => {
  const wrong = [
    'op=EXEC boot_verified=TRUE action=ALLOW',
    'op=EXECUTE boot_verified=YES action=ALLOW',
    'op=EXECUTE boot_verified=TRUE action=PERMIT',
    'op=EXECUTE action=ALLOW boot_verified=TRUE',
    'DEFAULT op=EXECUTE boot_verified=TRUE action=ALLOW',
    'boot_verified=TRUE action=ALLOW',
    'DEFAULT action=ALLOW',
  ];
  for (const line of wrong)
    assert.throws(
      () => renderIpePolicy([{ name: 'x.policy', text: `DEFAULT action=DENY\n${line}\n` }], '1.0.0'),
      { code: 'image/ipe-policy-invalid' },
      line,
    );
  assert.throws(() => renderIpePolicy([{ name: 'x.policy', text: '' }], '1.0.0'), {
    code: 'image/ipe-policy-invalid',
  });
});

test('a newer image never has an older policy', () => {
  const part = fc.integer({ min: 0, max: 70_000 });
  const version = fc.tuple(part, part, part);
  const rank = (text: string) => text.split('.').reduce((sum, each) => sum * 65_536 + Number(each), 0);
  fc.assert(
    fc.property(version, version, (one, other) => {
      const differs = [0, 1, 2].find((index) => one[index] !== other[index]) ?? 0;
      const [older, newer] = (one[differs] ?? 0) <= (other[differs] ?? 0) ? [one, other] : [other, one];
      // What is beyond the kernel's numbers is held at their end, where two may be equal.
      if (older.some((each) => each > 65_535)) return;
      assert.ok(rank(ipeVersion(older.join('.'))) <= rank(ipeVersion(newer.join('.'))));
    }),
  );
  assert.equal(ipeVersion('1.5.0~rc1'), '1.5.0');
  assert.equal(ipeVersion('2'), '2.0.0');
});
