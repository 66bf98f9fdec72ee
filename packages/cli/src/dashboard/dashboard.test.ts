import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create } from '@bufbuild/protobuf';
import {
  GetBootReportResponseSchema,
  GetHealthResponseSchema,
  GetIdentityResponseSchema,
  GetIntegrityResponseSchema,
  GetKubernetesResponseSchema,
  GetNetworkResponseSchema,
  GetResourcesResponseSchema,
  GetSlotsResponseSchema,
  GetUpdateResponseSchema,
  GetVersionsResponseSchema,
  HealthState,
  ListServicesResponseSchema,
  LogEntrySchema,
  UpdatePhase,
  Verdict,
} from '@plinth/api';
import fc from 'fast-check';
import { createStyle } from '../output/style.ts';
import { cellCount, lineText } from './cells.ts';
import { type DashboardData, failed, LOG_LIMIT, learned, logged } from './data.ts';
import { drawChanges, renderLine } from './draw-changes.ts';
import { clampScroll, drawFrame, panelRows } from './frame.ts';
import { decodeKeys } from './keys.ts';
import { type DashboardState, firstState, panels, pressKey } from './state.ts';

/** Texts as a hostile node sends them: controls, escapes, wide characters, pictures, piled marks, right-to-left marks. */
const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: 'grapheme', maxLength: 60 }),
  fc.constantFrom(
    '\u001b[2J\u001b]0;title\u0007',
    '漢字テスト'.repeat(20),
    '👩‍👩‍👧‍👦🇩🇪',
    `a${'\u0301'.repeat(200)}`,
    '\u202egnp.exe',
    'line\r\nbreak\ttab',
    'x'.repeat(500),
    '\ud800',
  ),
);
const verdict = fc.constantFrom(Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.UNSPECIFIED);
const check = fc.record({
  id: hostile,
  verdict,
  observed: hostile,
  expected: hostile,
  cause: hostile,
  fix: hostile,
});
const duration = fc.record({ seconds: fc.bigInt({ min: 0n, max: 10n ** 12n }), nanos: fc.nat(999_999_999) });
const size64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** A node's answers, any part of them missing. */
const data: fc.Arbitrary<DashboardData> = fc
  .record({
    text: hostile,
    checks: fc.array(check, { maxLength: 8 }),
    names: fc.array(hostile, { maxLength: 30 }),
    size: size64,
    duration,
    number: fc.nat(),
    parts: fc.array(fc.constantFrom(...panels, 'broken', 'late'), { maxLength: 8 }),
  })
  .map(({ text, checks, names, size, duration: time, number, parts }) => {
    let all: DashboardData = {};
    const has = (part: (typeof parts)[number]) => parts.includes(part);
    if (has('summary')) {
      const identity = {
        nodeName: text,
        nodeId: text,
        addresses: names,
        caller: { commonName: text, role: text },
      };
      all = learned(all, 'identity', create(GetIdentityResponseSchema, identity), 1);
      all = learned(
        all,
        'versions',
        create(GetVersionsResponseSchema, { osPrettyName: text, kernelRelease: text }),
        1,
      );
      all = learned(
        all,
        'health',
        create(GetHealthResponseSchema, { state: HealthState.DEGRADED, checks, uptime: time }),
        1,
      );
      const phases = names.map((name) => ({ name, duration: time }));
      all = learned(all, 'boot', create(GetBootReportResponseSchema, { phases }), 1);
      all = learned(
        all,
        'kubernetes',
        create(GetKubernetesResponseSchema, { version: text, membership: 3, cluster: { name: text } }),
        1,
      );
      const resources = { memory: { totalBytes: size, availableBytes: size }, load: [number], tasks: number };
      all = learned(all, 'resources', create(GetResourcesResponseSchema, resources), 1);
    }
    if (has('services')) {
      const services = names.map((name) => ({
        name,
        activeState: text,
        memoryBytes: size,
        restarts: number,
      }));
      all = learned(
        all,
        'services',
        create(ListServicesResponseSchema, { services, notObserved: [text] }),
        1,
      );
    }
    if (has('slots')) {
      const slots = names.map((name) => ({
        name,
        version: text,
        booted: true,
        partitions: [{ sizeBytes: size }],
      }));
      const bootEntries = names.map((file) => ({ file, version: text, triesLeft: number }));
      all = learned(
        all,
        'slots',
        create(GetSlotsResponseSchema, { slots, bootEntries, espReadable: number % 2 === 0 }),
        1,
      );
    }
    if (has('slots')) {
      const reason = { code: 'update/x', message: text, hint: text };
      const stage = { version: text, totalBytes: size, doneBytes: size, fetchedBytes: size, failure: reason };
      const update = {
        phase:
          [UpdatePhase.IDLE, UpdatePhase.DOWNLOADING, UpdatePhase.FAILED][number % 3] ?? UpdatePhase.IDLE,
        ...{ stage, channel: text, next: { reasons: [reason], checkFailure: reason } },
        ...{ staged: { version: text }, lastFallBack: { fromVersion: text, reason } },
        blocked: names.map((version) => ({ version })),
      };
      all = learned(all, 'update', create(GetUpdateResponseSchema, update), 1);
    }
    if (has('integrity')) {
      const mounts = names.map((target) => ({ target, difference: text }));
      all = learned(
        all,
        'integrity',
        create(GetIntegrityResponseSchema, { checks, mounts, rootHash: text }),
        1,
      );
    }
    if (has('logs')) {
      const entries = names.map((message) =>
        create(LogEntrySchema, { message, identifier: text, priority: number % 8 }),
      );
      all = logged(all, entries, 1);
    }
    if (has('network')) {
      const links = names.map((name) => ({
        name,
        state: text,
        addresses: [{ cidr: text }],
        received: { bytes: size },
      }));
      const routes = names.map((gateway) => ({ destination: 'default', gateway, device: text }));
      all = learned(all, 'network', create(GetNetworkResponseSchema, { links, routes }), 1);
    }
    if (has('broken'))
      for (const source of ['health', 'services', 'logs', 'network'] as const)
        all = failed(all, source, text);
    return all;
  });

const keyText = fc.oneof(
  fc.constantFrom(
    '1',
    '2',
    '3',
    '4',
    '5',
    '6',
    '7',
    '\t',
    '?',
    'r',
    'j',
    'k',
    'h',
    'l',
    '\u001b',
    '\u001b[A',
    '\u001b[B',
  ),
  fc.constantFrom(
    '\u001b[5~',
    '\u001b[6~',
    '\u001b[H',
    '\u001b[F',
    '\u001b[Z',
    '\u001bOC',
    '\u001b[999;999R',
    'é',
    '漢',
  ),
  fc.string({ unit: 'binary', maxLength: 10 }),
);
const size = fc.oneof(
  fc.constantFrom(
    { columns: 80, rows: 24 },
    { columns: 20, rows: 5 },
    { columns: 300, rows: 100 },
    { columns: 1, rows: 1 },
  ),
  fc.record({ columns: fc.integer({ min: 1, max: 320 }), rows: fc.integer({ min: 1, max: 120 }) }),
);

function pressed(state: DashboardState, text: string, rows: number): DashboardState {
  return decodeKeys(text).reduce((now, key) => pressKey(now, key, rows), state);
}

test('no picture is wider or higher than the terminal, or holds what controls it, whatever a node sends and keys do', () => {
  fc.assert(
    fc.property(data, fc.array(keyText, { maxLength: 12 }), size, hostile, (known, keys, at, name) => {
      let state: DashboardState = { ...firstState(name, 1_000), data: known };
      for (const key of keys) state = clampScroll(pressed(state, key, panelRows(at)), at);
      const frame = drawFrame(state, at);
      assert.equal(frame.length, at.rows);
      for (const line of frame) {
        const text = lineText(line);
        assert.ok(cellCount(text) <= at.columns, JSON.stringify(text));
        assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Cs}\p{Mn}\p{Me}\u2028\u2029]/u);
        assert.doesNotMatch(text, /(?!\p{ASCII})\p{Extended_Pictographic}/u);
      }
    }),
    { numRuns: 400 },
  );
});

test('keys lead to every panel and back', () => {
  const start = firstState('n', 0);
  for (const [index, panel] of panels.entries()) {
    assert.equal(pressed(start, String(index + 1), 10).panel, panel);
    assert.equal(pressed(start, '\t'.repeat(index), 10).panel, panel);
    assert.equal(pressed(start, '\u001b[C'.repeat(index), 10).panel, panel);
    assert.equal(pressed(start, '\u001b[Z'.repeat(panels.length - index), 10).panel, panel);
  }
  assert.equal(pressed(start, '9', 10), start);
  assert.equal(pressed(start, '?', 10).help, true);
  assert.equal(pressed(start, '?\u001b', 10).help, false);
  for (const quit of ['q', '\u0003', '\u0004']) assert.equal(pressed(start, quit, 10).quit, true);
});

test('scrolling stops at both ends; logs stand at the newest', () => {
  const at = { columns: 80, rows: 24 };
  const entries = Array.from({ length: 300 }, (_, n) =>
    create(LogEntrySchema, { message: `entry ${n}`, identifier: 'a' }),
  );
  const press = (state: DashboardState, keys: string) => clampScroll(pressed(state, keys, panelRows(at)), at);
  const text = (state: DashboardState) => drawFrame(state, at).map(lineText).join('\n');
  let state = press({ ...firstState('n', 0), data: logged({}, entries, 0) }, '5');
  assert.match(text(state), /entry 299\n/);
  assert.match(text(state), /281-300 of 300/);
  state = press(state, '\u001b[5~');
  assert.doesNotMatch(text(state), /entry 299/);
  state = press(state, '\u001b[H');
  assert.match(text(state), /entry 0\n/);
  state = press(state, '\u001b[B');
  assert.doesNotMatch(text(state), /a: entry 0\n/);
  state = press(state, '\u001b[F');
  assert.match(text(state), /entry 299\n/);
  assert.equal(press(state, 'jjj').scroll, 0);
  const long = logged(state.data, entries, 0);
  assert.equal(logged(logged(long, entries, 0), entries, 0).logs?.value?.length, LOG_LIMIT);
});

test('a source that fails says so, and what it said before stays', () => {
  const versions = create(GetVersionsResponseSchema, { osPrettyName: 'Plinth 1', imageVersion: '1' });
  let state: DashboardState = { ...firstState('n', 0), data: failed({}, 'versions', 'no route') };
  const shown = () => drawFrame(state, { columns: 80, rows: 24 }).map(lineText).join('\n');
  assert.match(shown(), /system +<unknown> no route/);
  state = { ...state, data: failed(learned(state.data, 'versions', versions, 5), 'versions', 'gone') };
  assert.match(shown(), /system +Plinth 1 \(1\)/);
  assert.match(shown(), /no answer: versions; shown is what was known/);
});

/** What a terminal has on its screen after it was sent that. */
function applied(screen: string[], text: string): string[] {
  const next = text.includes('\u001b[2J') ? screen.map(() => '') : [...screen];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what a terminal reads
  for (const [, row, line = ''] of text.matchAll(/\u001b\[(\d+);1H\u001b\[0K([^\u001b]*)/g))
    next[Number(row) - 1] = line;
  return next;
}

test('the changes from one picture lead to the next, and only they are written', () => {
  fc.assert(
    fc.property(data, data, size, (first, second, at) => {
      const plain = createStyle(false);
      const of = (known: DashboardData) =>
        drawFrame({ ...firstState('n', 0), data: known }, at).map((line) => renderLine(line, plain));
      const [before, after] = [of(first), of(second)];
      const screen = applied(Array(at.rows).fill('?'), drawChanges(undefined, before));
      assert.deepEqual(screen, before);
      const changes = drawChanges(before, after);
      assert.deepEqual(applied(screen, changes), after);
      if (before.every((line, row) => line === after[row])) assert.equal(changes, '');
      assert.equal(drawChanges(after, after), '');
    }),
    { numRuns: 100 },
  );
});

test('the slots say how far an update is, what comes next, and what went wrong', () => {
  const panel = (update: Parameters<typeof create<typeof GetUpdateResponseSchema>>[1]) => {
    let all = learned({}, 'slots', create(GetSlotsResponseSchema, { espReadable: true }), 1);
    all = learned(all, 'update', create(GetUpdateResponseSchema, update), 1);
    return drawFrame({ ...firstState('n', 0), panel: 'slots', data: all }, { columns: 100, rows: 30 })
      .map(lineText)
      .join('\n');
  };
  const none = { code: 'update/up-to-date', message: 'it runs the newest' };
  const idle = panel({ phase: UpdatePhase.IDLE, channel: 'stable', next: { reasons: [none] } });
  assert.match(idle, /update +idle/);
  assert.match(idle, /next +<none>: it runs the newest/);
  const stage = { version: '0.2.0', totalBytes: 200n, doneBytes: 90n, fetchedBytes: 5_000_000n };
  const moving = panel({ phase: UpdatePhase.DOWNLOADING, stage, next: { version: '0.2.0' } });
  assert.match(moving, /downloading 0\.2\.0: 45 %, 4\.77 MiB fetched/);
  const reason = { code: 'update/contract-broken', message: 'containerd never came' };
  const fallen = panel({ lastFallBack: { fromVersion: '0.3.0', reason }, blocked: [{ version: '0.3.0' }] });
  assert.match(fallen, /fell back +from 0\.3\.0: containerd never came/);
  assert.match(fallen, /next +<unknown>/);
  const silent = drawFrame(
    { ...firstState('n', 0), panel: 'slots', data: failed({}, 'update', 'gone') },
    { columns: 80, rows: 24 },
  );
  assert.match(silent.map(lineText).join('\n'), /no answer: update/);
});
