import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlinthError } from '@plinth/base';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { channelArbitrary } from './channel.testing.ts';
import { type Channel, channelJsonSchema, formatChannel, parseChannel } from './channel.ts';

const CHANNEL: Channel = {
  format: 1,
  name: 'plinth',
  channel: 'stable',
  architecture: 'x86-64',
  securityFloor: { version: '1.1', reason: 'CVE-2026-0001' },
  releases: [
    { version: '1.2', manifest: 'plinth_1.2_x86-64.manifest.json', security: true, kubernetes: ['1.37'] },
  ],
  barriers: [{ version: '1.2', reason: 'moves the state of the agent' }],
  deadEnds: [],
  blocked: [],
};

function problem(channel: unknown): PlinthError {
  try {
    parseChannel(
      typeof channel === 'string' ? channel : JSON.stringify(channel, undefined, 2),
      'stable.json',
    );
  } catch (error) {
    assert.equal((error as PlinthError).code, 'update/channel-invalid');
    return error as PlinthError;
  }
  throw new Error('it was accepted');
}

test('what is formatted is read back, and the same channel gives the same bytes, whatever order its keys had', () => {
  fc.assert(
    fc.property(channelArbitrary, (channel) => {
      const text = formatChannel(channel);
      const read = parseChannel(text, 'stable.json');
      assert.equal(formatChannel(read), text);
      const turned = Object.fromEntries(Object.entries(channel).reverse()) as Channel;
      assert.equal(formatChannel(turned), text);
    }),
  );
});

test('an error says where, and what was expected', () => {
  const error = problem({ ...CHANNEL, barriers: [{ version: '1+2', reason: 'x' }] });
  assert.match(
    error.message,
    /^Cannot read stable\.json: \$\.barriers\[0\]\.version: .*1\.4\.0.* at line 22, column 18/,
  );
  assert.equal(error.diagnostics[0]?.span?.line, 22);
  assert.match(problem({ ...CHANNEL, blokced: [] }).message, /unknown key "blokced"/);
  assert.match(problem({ ...CHANNEL, channel: '../x' }).message, /expected a name like stable/);
  assert.match(problem({ ...CHANNEL, format: 2 }).message, /\$\.format/);
  assert.match(problem('{ "format": 1,').message, /line 1/);
  assert.match(problem('').message, /expected a channel/);
});

test('what would mean two things is refused', () => {
  const [release] = CHANNEL.releases;
  assert.match(problem({ ...CHANNEL, releases: [release, release] }).message, /1\.2 is there twice/);
  const equal = { ...release, version: '1.02' };
  assert.match(problem({ ...CHANNEL, releases: [release, equal] }).message, /is there twice \(as 1\.0?2\)/);
  assert.match(problem('format: 1\nname: plinth').message, /expected a text/);
  const yaml = `format: 1\nname: plinth\nchannel: stable\narchitecture: x86-64\nreleases: []\nbarriers: []\ndeadEnds: []\nblocked: []\n`;
  assert.match(problem(yaml).message, /only JSON is read/);
});

test('versions fit file names, partition labels and boot entries', () => {
  const accepts = (version: string) =>
    parseChannel(JSON.stringify({ ...CHANNEL, releases: [{ version, manifest: 'm' }] }), 'x').releases
      .length === 1;
  for (const version of ['0', '1.4.0', '1.5.0~rc1', '2.0^3', '1234567890.123456789.1'])
    assert.ok(accepts(version));
  for (const version of ['', 'v1', '1.0+1', '1_0', '1/0', '1 0', '1'.repeat(23)])
    assert.throws(() => accepts(version));
});

test('limits come first', () => {
  assert.match(problem(`"${'x'.repeat(1 << 20)}"`).message, /1048578 bytes/);
  const many = Array.from({ length: 1001 }, (_, index) => ({ version: `1.${index}`, manifest: 'm' }));
  assert.match(problem({ ...CHANNEL, releases: many }).message, /\$\.releases/);
  const started = performance.now();
  assert.match(problem({ ...CHANNEL, releases: Array(1000).fill(CHANNEL.releases[0]) }).message, /twice/);
  assert.ok(performance.now() - started < 5000);
});

test('the JSON Schema accepts what is read, and nothing of another form', () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(channelJsonSchema());
  fc.assert(
    fc.property(channelArbitrary, (channel) => validate(JSON.parse(formatChannel(channel))) === true),
  );
  assert.ok(!validate({ ...CHANNEL, blokced: [] }) && !validate({ ...CHANNEL, channel: 'A' }));
});
