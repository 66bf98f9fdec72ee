import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Access } from '@plinth/api';
import fc from 'fast-check';
import { type AccessRole, judgeAccess, matches } from './judge-access.ts';

const node = { name: 'worker-1', labels: { zone: 'a', disk: 'fast' } };
const logs = { name: 'LogsService.ReadLogs', least: Access.READER };
const reboot = { name: 'MachineService.Reboot', least: Access.OPERATOR };

function allowed(role: string, method: typeof logs | typeof reboot, roles: readonly AccessRole[] = []) {
  return judgeAccess(role, method, roles, node).allowed;
}

test('built-in roles reach as far as the contract says', () => {
  assert.deepEqual(
    ['plinth:reader', 'plinth:operator', 'plinth:admin'].map((role) => allowed(role, reboot)),
    [false, true, true],
  );
});

test('a role of the owner has the methods of its patterns and nothing else', () => {
  const roles = [{ name: 'watcher', methods: ['LogsService.*', 'NodeService.Get*'] }];
  assert.equal(allowed('watcher', logs, roles), true);
  assert.equal(allowed('watcher', reboot, roles), false);
  assert.equal(allowed('nobody', logs, roles), false);
});

test('a role holds on the nodes of its selector only', () => {
  const on = (nodes: AccessRole['nodes']) => allowed('w', logs, [{ name: 'w', methods: ['*'], nodes }]);
  assert.equal(on({ names: ['worker-*'] }), true);
  assert.equal(on({ names: ['cp-*'] }), false);
  assert.equal(on({ labels: { zone: 'a' } }), true);
  assert.equal(on({ labels: { zone: 'a', disk: 'slow' } }), false);
  assert.equal(on({ names: ['worker-1'], labels: { zone: 'b' } }), false);
  assert.equal(on({ names: [] }), false);
});

test('built-in roles cannot be redefined, and what is nobody’s stays nobody’s', () => {
  const roles = [
    { name: 'plinth:reader', methods: ['*'] },
    { name: 'all', methods: ['*'] },
  ];
  assert.equal(allowed('plinth:reader', reboot, roles), false);
  assert.equal(judgeAccess('all', { name: 'X.Y', least: Access.UNSPECIFIED }, roles, node).allowed, false);
  assert.equal(
    judgeAccess('plinth:admin', { name: 'X.Y', least: Access.UNSPECIFIED }, roles, node).allowed,
    false,
  );
});

test('a refusal says why', () => {
  const why = (role: string, roles: readonly AccessRole[]) => {
    const judgement = judgeAccess(role, reboot, roles, node);
    return judgement.allowed ? '' : judgement.reason;
  };
  assert.match(why('plinth:reader', []), /is for plinth:operator, the certificate has plinth:reader/);
  assert.match(why('w', []), /not in the machine config/);
  assert.match(
    why('w', [{ name: 'w', methods: ['*'], nodes: { names: ['cp'] } }]),
    /does not hold on this node/,
  );
  assert.match(why('w', [{ name: 'w', methods: ['Logs*'] }]), /does not have MachineService.Reboot/);
});

test('a pattern means what the regular expression of it means', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 });
  fc.assert(
    fc.property(letters, text, (pattern, name) => {
      const oracle = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll(/\*+/g, '.*')}$`);
      assert.equal(matches(pattern, name), oracle.test(name));
    }),
    { numRuns: 2000 },
  );
});

test('what is for callers without a certificate is for no other role, and they may do nothing else', () => {
  const first = { name: 'MaintenanceService.ApplyFirstConfig', least: Access.STRANGER };
  const every = [{ name: 'every', methods: ['*'] }];
  for (const role of ['plinth:reader', 'plinth:operator', 'plinth:admin', 'every', ''])
    assert.equal(judgeAccess(role, first, every, node).allowed, false, role);
  assert.equal(judgeAccess('plinth:stranger', first, every, node).allowed, true);
  for (const method of [logs, reboot])
    assert.equal(judgeAccess('plinth:stranger', method, every, node).allowed, false);
});
