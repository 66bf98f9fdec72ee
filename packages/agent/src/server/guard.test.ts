import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getOption } from '@bufbuild/protobuf';
import * as contract from '@plinth/api';
import { Access, access, NodeService } from '@plinth/api';
import { roles } from './caller.ts';
import { requireAllowed } from './guard.ts';

const services = Object.values(contract).filter(
  (each): each is typeof NodeService => typeof each === 'object' && 'kind' in each && each.kind === 'service',
);

const callerOf = (role: (typeof roles)[number]) => ({ ok: true, caller: { commonName: 'a', role } }) as const;

test('every method of the contract says who may call it', () => {
  assert.ok(services.length >= 3);
  for (const { methods } of services) {
    for (const method of methods)
      assert.notEqual(getOption(method, access), Access.UNSPECIFIED, `${method.parent.name}.${method.name}`);
  }
});

test('a role may call what it is named for and what lesser roles may, nothing else', () => {
  const needed = ['plinth:reader', 'plinth:operator', 'plinth:admin'] as const;
  for (const { methods } of services) {
    for (const method of methods) {
      if (getOption(method, access) === Access.STRANGER) {
        for (const role of roles)
          assert.throws(
            () => requireAllowed(callerOf(role), method),
            /for callers without a certificate only/,
          );
        continue;
      }
      const least = getOption(method, access) - Access.READER;
      for (const role of roles) {
        const allowed = needed.indexOf(role) >= least;
        const call = () => requireAllowed(callerOf(role), method);
        if (allowed) assert.equal(call().role, role);
        else assert.throws(call, new RegExp(`${method.name} is for ${needed[least]}`));
      }
    }
  }
});

test('a method that names no role is nobody’s', () => {
  const [method] = NodeService.methods;
  assert.ok(method);
  const unnamed = { ...method, proto: { ...method.proto, options: undefined } };
  assert.throws(() => requireAllowed(callerOf('plinth:admin'), unnamed), /for nobody/);
});
