import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { z } from 'zod';
import type { RenderedFile } from '../framework/kind.ts';
import { unwrap } from '../framework/notes.ts';
import { allKinds, type MachineConfig } from '../machine-config.ts';
import { renderConfig } from '../render-config.ts';
import { ACCESS, configs, documents, MACHINE, parsed } from '../testing/configs.ts';
import { planConfig } from './plan-config.ts';

function apply(from: MachineConfig | undefined, to: MachineConfig): readonly RenderedFile[] {
  const wanted = new Map(renderConfig(to).map((file) => [file.path, file]));
  const files = new Map((from ? renderConfig(from) : []).map((file) => [file.path, file]));
  for (const { path, action } of planConfig(from, to).files) {
    const file = wanted.get(path);
    if (action === 'remove') assert.ok(files.delete(path), `${path} was not there`);
    else files.set(path, file ?? assert.fail(`${path} is not wanted`));
  }
  return [...files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

test('applying the files of a plan gives exactly the new files', () => {
  fc.assert(
    fc.property(fc.option(configs, { nil: undefined }), configs, (from, to) => {
      assert.deepEqual(apply(from, to), renderConfig(to));
    }),
  );
});

test('a plan is empty when the configs are equal, and never when a file differs', () => {
  fc.assert(
    fc.property(configs, configs, (from, to) => {
      const plan = planConfig(from, to);
      if (isDeepStrictEqual(from, to))
        assert.deepEqual(plan, { changes: [], files: [], effects: [], touchesNetwork: false });
      else assert.ok(plan.changes.length > 0 && plan.effects.length > 0);
      for (const { path } of plan.changes)
        assert.equal(plan.changes.filter((each) => each.path === path).length, 1);
    }),
  );
  fc.assert(fc.property(configs, (config) => assert.equal(planConfig(config, config).changes.length, 0)));
});

test('a plan backwards is the plan with from and to exchanged', () => {
  fc.assert(
    fc.property(configs, configs, (from, to) => {
      const key = (each: { path: string; from: unknown; to: unknown }) =>
        JSON.stringify([each.path, each.from, each.to]);
      const there = planConfig(from, to).changes.map(key).sort();
      const back = planConfig(to, from).changes.map(({ path, ...each }) =>
        key({ path, from: each.to, to: each.from }),
      );
      assert.deepEqual(back.sort(), there);
    }),
  );
});

function withNetwork(network: object): MachineConfig {
  return parsed(documents(MACHINE, ACCESS, { kind: 'Network', ...network }));
}

const card = { mac: '52:54:00:00:00:01', addresses: ['10.1.0.1/16'] };
const other = { mac: '52:54:00:00:00:02', dhcp: true };
const vlan = { name: 'vlan20', id: 20, parent: card.mac, addresses: ['10.2.0.1/16'] };
const reload = { kind: 'reload', unit: 'systemd-networkd.service' };
const bare = parsed(documents(MACHINE, ACCESS));

const plans: readonly (readonly [
  string,
  MachineConfig,
  MachineConfig,
  readonly string[],
  readonly object[],
  boolean,
])[] = [
  [
    'a card that moves: only its addresses change',
    withNetwork({ interfaces: [card] }),
    withNetwork({
      interfaces: [
        { ...other, mac: '52:54:00:00:00:00' },
        { ...card, addresses: ['10.1.0.2/16'] },
      ],
    }),
    ['network.interfaces[52:54:00:00:00:01].addresses', 'network.interfaces[52:54:00:00:00:00]'],
    [reload],
    true,
  ],
  [
    'name servers and hosts of a first network document',
    bare,
    withNetwork({ dns: { servers: ['10.1.0.3'] }, hosts: [{ address: '10.1.0.4', names: ['a'] }] }),
    ['network.dns', 'network.hosts[10.1.0.4]'],
    [{ kind: 'live' }, { kind: 'restart', unit: 'systemd-resolved.service' }],
    true,
  ],
  [
    'time servers cut nobody off',
    bare,
    withNetwork({ ntp: { servers: ['10.1.0.3'] } }),
    ['network.ntp'],
    [{ kind: 'restart', unit: 'systemd-timesyncd.service' }],
    false,
  ],
  [
    'a new VLAN is made at once',
    withNetwork({ interfaces: [card] }),
    withNetwork({ interfaces: [card], vlans: [vlan] }),
    ['network.vlans[vlan20]'],
    [reload],
    true,
  ],
  ['an empty document is told of', bare, withNetwork({}), ['network'], [reload], true],
  [
    'the name of the node',
    bare,
    parsed(documents({ ...MACHINE, name: 'node-2' }, ACCESS)),
    ['machine.name'],
    [{ kind: 'restart', unit: 'plinthd.service' }],
    false,
  ],
];
for (const [what, from, to, paths, effects, touches] of plans) {
  test(`planConfig: ${what}`, () => {
    const plan = planConfig(from, to);
    assert.deepEqual(plan.changes.map(({ path }) => path).sort(), [...paths].sort());
    assert.deepEqual(plan.effects, effects);
    assert.equal(plan.touchesNetwork, touches);
  });
}

test('a VLAN that changes or goes needs a reboot, its addresses do not', () => {
  const before = withNetwork({ interfaces: [card, other], vlans: [vlan] });
  for (const [after, expected] of [
    [withNetwork({ interfaces: [card, other] }), 'reboot'],
    [withNetwork({ interfaces: [card, other], vlans: [{ ...vlan, id: 21 }] }), 'reboot'],
    [withNetwork({ interfaces: [card, other], vlans: [{ ...vlan, addresses: ['10.2.0.2/16'] }] }), 'reload'],
    [withNetwork({ interfaces: [card, other], vlans: [{ ...vlan, gateway: '10.2.0.9' }] }), 'reload'],
  ] as const) {
    assert.deepEqual(
      planConfig(before, after).effects.map(({ kind }) => kind),
      [expected],
    );
    if (expected === 'reload') assert.equal(planConfig(after, before).effects[0]?.kind, 'reload');
  }
});

test('every entry of effects and reach names a field of its kind', () => {
  for (const { kind, schema, effects, reach } of allKinds) {
    for (const entry of [...Object.keys(effects), ...reach].filter((each) => each !== '')) {
      assert.ok(hasField(schema, entry), `${kind} has no field ${entry}`);
    }
  }
});

/** Names of fields may have dots in them. */
function hasField(schema: z.core.$ZodType, entry: string): boolean {
  const at = unwrap(schema);
  if (at instanceof z.ZodArray) return hasField(at.element, entry);
  if (!(at instanceof z.ZodObject)) return at instanceof z.ZodRecord;
  return Object.entries(at.shape).some(
    ([name, field]) =>
      name === entry || (entry.startsWith(`${name}.`) && hasField(field, entry.slice(name.length + 1))),
  );
}
