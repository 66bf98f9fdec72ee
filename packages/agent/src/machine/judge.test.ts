import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { type BootEndEvidence, judgeBootEnd, parseVarCheck, parseWatchdog } from './judge-boot-end.ts';
import { checkConfirmed, judgeRequest, type MachineFacts } from './judge-request.ts';
import { actAfterBoot, type MachineAct, type MachineRequest } from './machine-act.ts';
import { trialOf } from './trial-of.ts';

const act: MachineAct = {
  ...{ kind: 'reboot', state: 'ending', askedBy: 'a', reason: '', askedAtMs: 0, overridden: '' },
  ...{ bootId: 'one', note: '' },
};

suite('what may begin', () => {
  const request: MachineRequest = {
    ...{ kind: 'reboot', askedBy: 'a', reason: '', override: '', drain: undefined },
  };
  const facts: MachineFacts = {
    ...{
      nodeName: 'n',
      current: undefined,
      otherAct: undefined,
      cluster: undefined,
      volatileBecause: undefined,
    },
  };
  const drain = { timeoutMs: 1000, evictUnmanaged: false };

  test('a node that is at nothing may end', () => assert.equal(judgeRequest(request, facts), ''));

  const refusals: [string, Partial<MachineRequest>, Partial<MachineFacts>][] = [
    ['machine/busy', {}, { current: act }],
    ['machine/busy', {}, { current: { ...act, state: 'returning' } }],
    ['machine/busy', { override: 'n' }, { otherAct: 'upgrade of Kubernetes' }],
    ['machine/bad-request', { reason: 'x'.repeat(201) }, {}],
    ['machine/bad-request', { reason: 'patch\nmachine: reset asked for by root' }, {}],
    ['machine/bad-request', { reason: '\u202ehctap' }, {}],
    ['machine/not-drainable', { drain }, {}],
    ['machine/not-drainable', { drain }, { cluster: 'c', volatileBecause: '/var is on tmpfs' }],
    ['machine/bad-request', { drain: { ...drain, timeoutMs: 0 } }, { cluster: 'c' }],
    ['machine/bad-request', { drain: { ...drain, timeoutMs: Number.NaN } }, { cluster: 'c' }],
    ['machine/still-member', { kind: 'reset' }, { cluster: 'c' }],
    ['machine/still-member', { kind: 'reset', override: 'm' }, { cluster: 'c' }],
  ];
  for (const [code, asked, seen] of refusals)
    test(`${code}: ${JSON.stringify(asked)} of ${JSON.stringify(seen)}`, () => {
      assert.throws(() => judgeRequest({ ...request, ...asked }, { ...facts, ...seen }), { code });
    });

  test('an act that ended is in nobody’s way; a member is reset when its name was typed', () => {
    for (const state of ['done', 'failed'] as const)
      assert.equal(judgeRequest(request, { ...facts, current: { ...act, state } }), '');
    assert.match(
      judgeRequest({ ...request, kind: 'reset', override: 'n' }, { ...facts, cluster: 'c' }),
      /belongs to the cluster c/,
    );
    assert.throws(() => checkConfirmed('', 'n'), { code: 'machine/not-confirmed' });
    checkConfirmed('n', 'n');
  });
});

test('a config that waits for a person to confirm it is in the way; one that waits for health is not', () => {
  const trial = { revision: 4, previous: 3, bootId: 'a', deadlineMs: 1, bootsLeft: 0, failingBefore: [] };
  assert.equal(trialOf({}), undefined);
  assert.equal(trialOf({ trial: { ...trial, until: 'healthy' } }), undefined);
  assert.match(trialOf({ trial: { ...trial, until: 'confirmed' } }) ?? '', /revision 4/);
});

test('after a boot an act is done, waits to take pods again, or did not happen', () => {
  const drained = { deadlineMs: 1, evictUnmanaged: false, cordoned: true };
  assert.equal(actAfterBoot(act, 'one').state, 'ending');
  assert.equal(actAfterBoot(act, 'two').state, 'done');
  assert.equal(actAfterBoot({ ...act, drain: drained }, 'two').state, 'returning');
  assert.equal(actAfterBoot({ ...act, drain: { ...drained, cordoned: false } }, 'two').state, 'done');
  assert.equal(actAfterBoot({ ...act, kind: 'reset' }, 'two').failure?.code, 'machine/reset-undone');
  assert.equal(actAfterBoot({ ...act, state: 'failed' }, 'two').state, 'failed');
});

suite('how a boot ended', () => {
  const seen: BootEndEvidence = {
    ...{ hadBootBefore: true, ask: undefined, crashRecords: [], watchdog: undefined },
    ...{ varWasClean: true, lastWords: '' },
  };
  const kind = (change: Partial<BootEndEvidence>) => judgeBootEnd({ ...seen, ...change }).kind;

  test('by evidence', () => {
    assert.equal(kind({}), 'orderly');
    assert.equal(kind({ ask: act }), 'reboot');
    assert.equal(kind({ ask: { ...act, kind: 'shutdown' } }), 'shutdown');
    assert.equal(kind({ hadBootBefore: false }), 'first-boot');
    assert.equal(kind({ crashRecords: ['dmesg-1'] }), 'kernel-panic');
    assert.equal(kind({ watchdog: true }), 'watchdog');
    assert.equal(kind({ watchdog: true, hadBootBefore: false }), 'watchdog');
    assert.equal(kind({ varWasClean: false }), 'abrupt');
  });

  test('what was asked for is no proof that it was done', () => {
    assert.equal(kind({ ask: act, varWasClean: false }), 'abrupt');
    assert.equal(kind({ ask: act, crashRecords: ['dmesg-1'] }), 'kernel-panic');
    assert.match(judgeBootEnd({ ...seen, ask: act, varWasClean: false }).evidence.join(), /asked for by a/);
  });

  test('what could not be seen is never in good order', () => {
    const arbitrary = fc.record({
      hadBootBefore: fc.option(fc.boolean(), { nil: undefined }),
      ask: fc.constantFrom(undefined, act),
      crashRecords: fc.constantFrom(undefined, [], ['dmesg-1']),
      watchdog: fc.option(fc.boolean(), { nil: undefined }),
      varWasClean: fc.option(fc.boolean(), { nil: undefined }),
      lastWords: fc.string(),
    });
    fc.assert(
      fc.property(arbitrary, (evidence) => {
        const end = judgeBootEnd(evidence);
        if (['reboot', 'shutdown', 'orderly'].includes(end.kind)) assert.equal(evidence.varWasClean, true);
        if (end.kind === 'reboot') assert.ok(evidence.ask);
        assert.ok(end.evidence.length > 0);
      }),
    );
  });

  test('e2fsck and watchdogs, in their own words', () => {
    assert.equal(parseVarCheck('var: clean, 34/131072 files, 26763/524288 blocks'), true);
    assert.equal(parseVarCheck('var: recovering journal\nvar: clean, 34/131072 files, 2/5 blocks'), false);
    assert.equal(parseVarCheck('/dev/vda9 was not cleanly unmounted, check forced.'), false);
    assert.equal(parseVarCheck('e2fsck: No such file or directory'), undefined);
    assert.deepEqual(['32', '0', '33', '', 'x'].map(parseWatchdog), [
      true,
      false,
      true,
      undefined,
      undefined,
    ]);
  });
});
