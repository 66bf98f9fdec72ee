import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import fc from 'fast-check';
import { claimVerdicts, countVerdicts, evaluateProfile, postureVerdict } from './evaluate.ts';
import { type Fact, type Facts, factNames } from './fact.ts';
import { conditionText, judge } from './judge.ts';
import { loadProfiles } from './load-profiles.ts';
import { type Claim, type Condition, profileSchema, profilesOf } from './profile.ts';

const present = (value: string, shown?: string): Fact => ({
  ...{ state: 'present', value, source: '/here' },
  ...(shown !== undefined && { shown }),
});
const absent: Fact = { state: 'absent', source: '/here' };
const unknown: Fact = { state: 'unknown', source: '/here', reason: 'EACCES' };

const facts: Facts = new Map([
  ['sysctl/a', present('2')],
  ['boot/flag', present('')],
  ['boot/lsm', present('yama,selinux')],
  ['cpu/x', present('Mitigation: PTI')],
  ['cpu/y', present('Vulnerable: no microcode')],
  ['module/m', absent],
  ['file/f', unknown],
  ['integrity/lockdown', present('pass', 'pass (integrity)')],
  ['health/time', present('fail', 'fail (off by 1 h)')],
]);

const cases: readonly (readonly [condition: Condition, verdict: string, found: RegExp])[] = [
  [{ fact: 'sysctl/a', is: '2' }, 'pass', /^sysctl\/a is 2$/],
  [{ fact: 'sysctl/a', is: '1' }, 'fail', /is 2/],
  [{ fact: 'sysctl/a', in: ['1', '2'] }, 'pass', /is 2/],
  [{ fact: 'sysctl/a', not: ['2'] }, 'fail', /is 2/],
  [{ fact: 'sysctl/a', atLeast: 2 }, 'pass', /is 2/],
  [{ fact: 'sysctl/a', atLeast: 3 }, 'fail', /is 2/],
  [{ fact: 'boot/lsm', atLeast: 0 }, 'fail', /yama/],
  [{ fact: 'boot/lsm', has: 'selinux' }, 'pass', /yama/],
  [{ fact: 'boot/lsm', has: 'sel' }, 'fail', /yama/],
  [{ fact: 'cpu/x', lacks: 'Vulnerable' }, 'pass', /PTI/],
  [{ fact: 'cpu/y', lacks: 'Vulnerable' }, 'fail', /microcode/],
  [{ fact: 'boot/flag', set: true }, 'pass', /is set/],
  [{ fact: 'boot/flag', set: false }, 'fail', /is set/],
  [{ fact: 'module/m', set: false }, 'pass', /is absent/],
  [{ fact: 'module/m', is: 'loaded' }, 'fail', /is absent/],
  [{ fact: 'module/m', not: ['loaded'] }, 'pass', /is absent/],
  [{ fact: 'file/f', set: false }, 'unknown', /not known: EACCES/],
  [{ fact: 'sysctl/none', is: '1' }, 'unknown', /did not tell/],
  [{ absent: ['module/m', 'sysctl/a'] }, 'fail', /^sysctl\/a is 2$/],
  [{ absent: ['module/m', 'file/f'] }, 'unknown', /^file\/f/],
  [{ integrity: 'lockdown' }, 'pass', /pass \(integrity\)/],
  [{ integrity: 'none' }, 'unknown', /did not tell/],
  [{ health: 'time' }, 'fail', /off by 1 h/],
  [
    {
      all: [
        { fact: 'sysctl/a', is: '2' },
        { fact: 'file/f', set: true },
      ],
    },
    'unknown',
    /^file\/f/,
  ],
  [
    {
      all: [
        { fact: 'sysctl/a', is: '1' },
        { fact: 'file/f', set: true },
      ],
    },
    'fail',
    /^sysctl\/a/,
  ],
  [
    {
      any: [
        { fact: 'sysctl/a', is: '1' },
        { fact: 'file/f', set: true },
      ],
    },
    'unknown',
    /^file\/f/,
  ],
  [
    {
      any: [
        { fact: 'sysctl/a', is: '2' },
        { fact: 'file/f', set: true },
      ],
    },
    'pass',
    /^sysctl\/a/,
  ],
];

for (const [condition, verdict, found] of cases) {
  test(`${conditionText(condition)}: ${verdict}`, () => {
    const outcome = judge(condition, facts);
    assert.equal(outcome.verdict, verdict);
    assert.match(outcome.found.join('; '), found);
  });
}

function verdictOf(claim: Partial<Claim>): readonly [string, string] {
  const profile = { id: 'p', title: 'P', source: { name: 'n', edition: 'e' }, sections: {} };
  const [result] = evaluateProfile({ ...profile, claims: [{ id: '1.1', ...claim }] }, facts);
  return [result?.verdict ?? '', result?.reason ?? ''];
}

test('a failure may be meant, with a proof only while that holds', () => {
  const holds = { fact: 'sysctl/a', is: '1' };
  const waived = (proof: Condition) => verdictOf({ holds, accepted: { because: 'other way', proof } });
  assert.deepEqual(verdictOf({ holds, accepted: 'we want it' }), ['accepted', 'we want it']);
  assert.deepEqual(verdictOf({ holds: { fact: 'sysctl/a', is: '2' }, accepted: 'we want it' }), ['pass', '']);
  assert.equal(verdictOf({ holds: { fact: 'file/f', is: '2' }, accepted: 'we want it' })[0], 'unknown');
  assert.match(
    waived({ integrity: 'lockdown' }).join(' '),
    /^accepted other way \(integrity\/lockdown is pass/,
  );
  assert.match(waived({ health: 'time' }).join(' '), /^fail meant only while health\/time passes/);
  assert.equal(waived({ fact: 'file/f', set: true })[0], 'unknown');
});

test('what does not apply has to be seen not to', () => {
  const because = 'there is none';
  assert.deepEqual(verdictOf({ notApplicable: { because, proof: { absent: ['module/m'] } } }), [
    'not-applicable',
    because,
  ]);
  assert.equal(verdictOf({ notApplicable: { because, proof: { absent: ['sysctl/a'] } } })[0], 'fail');
  assert.equal(verdictOf({ notApplicable: { because, proof: { absent: ['file/f'] } } })[0], 'unknown');
  assert.deepEqual(verdictOf({ manual: 'ask' }), ['manual', 'ask']);
});

test('levels hold those below them; the schema refuses what says two things or nothing', () => {
  const file = {
    ...{ id: 'two', title: 'Two', source: { name: 'n', edition: 'e' }, levels: ['one-1', 'two-2'] },
    claims: [
      { id: '1', level: 1, manual: 'ask' },
      { id: '2', level: 2, manual: 'ask' },
    ],
  };
  const profiles = profilesOf(profileSchema.parse(file));
  assert.deepEqual(
    profiles.map(({ id, claims }) => [id, claims.length]),
    [
      ['one-1', 1],
      ['two-2', 2],
    ],
  );
  const accepts = (claim: object) =>
    profileSchema.safeParse({ ...file, levels: undefined, claims: [{ id: '1', ...claim }] }).success;
  assert.equal(accepts({ manual: 'ask' }), true);
  for (const claim of [
    {},
    { manual: 'ask', holds: { integrity: 'x' } },
    { manual: 'ask', accepted: 'no' },
    { manual: 'ask', level: 1 },
    { holds: { fact: 'sysctl/a' } },
    { holds: { fact: 'sysctl/a', is: '1', has: 'x' } },
    { holds: { integrity: 'x', is: '1' } },
    { holds: { all: [] } },
    { holds: { fact: 'nothing', is: '1' } },
  ])
    assert.equal(accepts(claim), false, JSON.stringify(claim));
  assert.equal(
    profileSchema.safeParse({ ...file, claims: [{ id: '1', level: 3, manual: 'a' }] }).success,
    false,
  );
  assert.equal(profileSchema.safeParse({ ...file, claims: [file.claims[0], file.claims[0]] }).success, false);
});

test('every profile of Plinth is sound; nothing passes, fails or is accepted on a node that tells nothing', async () => {
  const { byId, fullest } = await loadProfiles();
  assert.ok(fullest.length >= 1);
  assert.ok(factNames(fullest).length <= 1_000, 'one call asks for all');
  for (const profile of byId.values()) {
    const results = evaluateProfile(profile, new Map());
    for (const { id, verdict } of results)
      assert.ok(['unknown', 'manual'].includes(verdict), `${profile.id} ${id} ${verdict}`);
    assert.equal(postureVerdict(results), 'unknown', profile.id);
    for (const { id, section } of results) assert.notEqual(section, '', `${profile.id} ${id} has no section`);
  }
});

test('a file of a person takes the place of a profile with its id; one that is wrong is refused with its line', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plinth-profiles-'));
  try {
    const path = join(folder, 'own.yaml');
    const text = 'id: kernel-hardening\ntitle: Mine\nsource: { name: me, edition: "1" }\nclaims:\n';
    await writeFile(path, `${text}  - { id: a, manual: ask }\n`);
    assert.equal((await loadProfiles([path])).byId.get('kernel-hardening')?.title, 'Mine');
    await writeFile(path, `${text}  - { id: a, manually: ask }\n`);
    const refused = (part: RegExp) => (error: unknown) =>
      error instanceof PlinthError &&
      error.code === 'posture/profile-invalid' &&
      part.test(JSON.stringify(error.diagnostics));
    await assert.rejects(loadProfiles([path]), refused(/"line":5/));
    await assert.rejects(loadProfiles([join(folder, 'none.yaml')]), { code: 'posture/profile-invalid' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('any facts give every claim one of the verdicts, and the counts are of all', async () => {
  const { fullest } = await loadProfiles();
  const names = factNames(fullest);
  const fact = fc.oneof(
    fc.constantFrom('0', '1', '2', 'y', 'm', 'pass', 'fail', 'loaded', '').map((value) => present(value)),
    fc.constantFrom(absent, unknown),
  );
  fc.assert(
    fc.property(fc.array(fact, { minLength: 1, maxLength: 40 }), (given) => {
      const all = new Map(names.map((name, index) => [name, given[index % given.length] ?? unknown]));
      const results = fullest.flatMap((profile) => evaluateProfile(profile, all));
      assert.ok(results.every(({ verdict }) => claimVerdicts.includes(verdict)));
      const sum = Object.values(countVerdicts(results)).reduce((total, count) => total + count, 0);
      assert.equal(sum, results.length);
    }),
    { numRuns: 30 },
  );
});
