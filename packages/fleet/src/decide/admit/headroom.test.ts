import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { NodeView } from '../../view/view.ts';
import type { Member, Standing } from '../rollout/pool.ts';
import { headroomOf, isCounted } from './headroom.ts';

interface Small {
  readonly used: number;
  readonly standing: Standing;
  readonly isDown: boolean;
}

const SIZE = 100;

function memberOf({ used, standing, isDown }: Small): Member {
  const requests = (value: number) => ({ cpuMilli: value, memoryBytes: value, pods: value });
  const node = { allocatable: requests(SIZE), requested: requests(used) } as Partial<NodeView> as NodeView;
  return { node, standing, isDown } as Member;
}

const small: fc.Arbitrary<Small> = fc.record({
  used: fc.integer({ min: 0, max: SIZE }),
  standing: fc.constantFrom<Standing>(...(['staged', 'staged', 'done', 'in-flight', 'lost'] as const)),
  isDown: fc.boolean(),
});

suite('headroom', () => {
  test('what has to move always fits on the nodes that stay, with the reserve on top', () => {
    fc.assert(
      fc.property(fc.array(small, { maxLength: 20 }), fc.integer({ min: 0, max: 100 }), (all, reserve) => {
        const members = all.map((each) =>
          memberOf({ ...each, isDown: each.isDown && each.standing !== 'in-flight' }),
        );
        const headroom = headroomOf(members, `${reserve}%`);
        const taken = new Set<Member>();
        for (const member of members)
          if (member.standing === 'staged' && headroom.fits(member)) {
            headroom.take(member);
            taken.add(member);
          }
        const isMoving = (member: Member) => taken.has(member) || member.standing === 'in-flight';
        const used = (list: readonly Member[]) =>
          list.reduce((sum, { node }) => sum + (node.requested?.pods ?? 0), 0);
        const moving = used(members.filter(isMoving));
        const staying = members.filter(
          (member) => !isMoving(member) && !member.isDown && member.standing !== 'lost',
        );
        if (taken.size > 0) assert.ok(moving * (1 + reserve / 100) <= staying.length * SIZE - used(staying));
      }),
    );
  });

  test('a reserve in nodes keeps so many nodes’ worth free', () => {
    const members = [10, 10, 10, 90].map((used) => memberOf({ used, standing: 'staged', isDown: false }));
    const [first] = members;
    assert.ok(first);
    assert.equal(headroomOf(members, 1).fits(first), true);
    assert.equal(headroomOf(members, 2).fits(first), false);
  });

  test('a node in service whose requests nobody counted makes it unknown, one that is down does not', () => {
    const uncounted = (change: Partial<Member>) => {
      const member = memberOf({ used: 1, standing: 'staged', isDown: false });
      return { ...member, node: { ...member.node, requested: undefined }, ...change };
    };
    assert.equal(isCounted([uncounted({})]), false);
    assert.equal(isCounted([uncounted({ isDown: true })]), true);
    assert.equal(isCounted([uncounted({ standing: 'lost' })]), true);
  });
});
