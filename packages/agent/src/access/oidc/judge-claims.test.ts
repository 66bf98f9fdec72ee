import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { judgeClaims, type OidcSettings } from './judge-claims.ts';

const settings: OidcSettings = {
  ...{ issuer: 'https://login.example', clientId: 'plinth', certificateAuthority: '', scopes: [] },
  ...{
    usernameClaim: 'sub',
    groupsClaim: 'groups',
    maxTtl: '8h',
    endWithToken: true,
    requireKeyBinding: false,
  },
  roles: [
    { role: 'reader', groups: ['everybody'] },
    { role: 'admin', groups: ['admins'], users: ['ann'] },
  ],
};

test('the first role that fits counts, by group or by name', () => {
  const roleOf = (claims: Readonly<Record<string, unknown>>) => {
    const verdict = judgeClaims(claims, settings);
    return verdict.ok ? verdict.role : verdict.reason;
  };
  assert.equal(roleOf({ sub: 'bob', groups: ['admins'] }), 'plinth:admin');
  assert.equal(roleOf({ sub: 'bob', groups: ['admins', 'everybody'] }), 'plinth:reader');
  assert.equal(roleOf({ sub: 'ann' }), 'plinth:admin');
  assert.equal(roleOf({ sub: 'bob', groups: 'admins' }), 'plinth:admin');
  assert.match(roleOf({ sub: 'bob', groups: { admins: true } }), /no role is for bob/);
  assert.match(roleOf({ sub: 'bob', groups: [['admins']] }), /no role/);
  assert.match(roleOf({ groups: ['admins'] }), /claim "sub" is no name/);
});

test('nobody gets a role that the config does not give them, whatever the claims are', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom('sub', 'groups', 'email', 'role', '__proto__'), fc.jsonValue()),
      (claims) => {
        const verdict = judgeClaims(claims, settings);
        if (!verdict.ok) return;
        const groups = [claims['groups']].flat();
        const due = claims['sub'] === 'ann' || groups.includes('admins') || groups.includes('everybody');
        assert.ok(due, JSON.stringify(claims));
        assert.match(verdict.name, /^oidc:[A-Za-z0-9@._+-]{1,59}$/);
      },
    ),
  );
});
