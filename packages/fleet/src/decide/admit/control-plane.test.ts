import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { EtcdView } from '../../view/view.ts';
import { quorumProblem } from './control-plane.ts';

type Member = EtcdView['members'][number];
const member = (node: string, more: Partial<Member> = {}): Member => ({
  ...{ node, isHealthy: true, isLearner: false, isLeader: node === 'a' },
  ...more,
});
const etcd = (members: readonly Member[], hasAlarm = false): EtcdView => ({ members, hasAlarm });
const three = ['a', 'b', 'c'].map((name) => member(name));

suite('quorum (S3)', () => {
  test('nobody is touched while anything of etcd is unknown or in motion (cluster-api#11772, talos#7423, kured#841)', () => {
    assert.match(quorumProblem(undefined, 'a', false) ?? '', /nobody could tell/);
    assert.match(quorumProblem(etcd(three, true), 'b', false) ?? '', /alarm/);
    assert.match(
      quorumProblem(etcd([...three, member('d', { isLearner: true })]), 'b', false) ?? '',
      /learner/,
    );
    assert.match(
      quorumProblem(etcd(three.map((each) => ({ ...each, isLeader: false }))), 'b', false) ?? '',
      /leader/,
    );
    assert.match(quorumProblem(etcd(three), 'x', false) ?? '', /no member/);
    assert.equal(quorumProblem(etcd(three), 'b', false), undefined);
  });

  test('one of one goes only where a person said so; one of two never (FLUO#123)', () => {
    assert.notEqual(quorumProblem(etcd([member('a')]), 'a', false), undefined);
    assert.equal(quorumProblem(etcd([member('a')]), 'a', true), undefined);
    assert.notEqual(quorumProblem(etcd([member('a'), member('b')]), 'b', true), undefined);
  });

  test('without the node a majority of all voters is healthy, for any number of them', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 9 }), fc.nat(8), (healthy, pick) => {
        const members = healthy.map((isHealthy, index) =>
          member(`n${index}`, { isHealthy, isLeader: index === 0 }),
        );
        const node = `n${pick % members.length}`;
        const others = members.filter((each) => each.node !== node && each.isHealthy).length;
        const isAllowed = quorumProblem(etcd(members), node, false) === undefined;
        assert.equal(isAllowed, others * 2 > members.length);
      }),
    );
  });
});
