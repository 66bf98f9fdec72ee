import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PlinthError } from '@plinth/base';
import { concatBytes, encodeText } from '@plinth/formats';
import fc from 'fast-check';
import { recordedBoot } from '../testing/recorded-boot.ts';
import { readFirmwareLog } from './read-firmware-log.ts';
import { readSystemLog } from './read-system-log.ts';

const { firmwareLog, systemLog } = recordedBoot();

function refusedOrRead(work: () => unknown): void {
  try {
    work();
  } catch (reason) {
    assert.ok(reason instanceof PlinthError, String(reason));
  }
}

test('the log of a real firmware is read whole, with words for people', () => {
  const { events, startupLocality } = readFirmwareLog(firmwareLog);
  assert.equal(events.length, 47);
  assert.equal(startupLocality, 0);
  const described = (pcr: number) =>
    events.filter((event) => event.pcr === pcr).map((event) => event.description);
  assert.deepEqual(described(9), ['LOADED_IMAGE::LoadOptions', 'Linux initrd']);
  assert.deepEqual(described(7).slice(0, 2), ['SecureBoot, 1 bytes', 'PK, 868 bytes']);
});

test("systemd's own log is read whole; its texts are proven by their digests", () => {
  const events = readSystemLog(systemLog);
  assert.deepEqual(
    events.map(({ pcr, type, content }) => [pcr, type, content !== undefined]),
    [
      [11, 'phase', true],
      [11, 'phase', true],
      [15, 'machine-id', true],
      [11, 'phase', true],
      [11, 'phase', true],
    ],
  );
  assert.deepEqual(readSystemLog(new Uint8Array()), []);
});

test('any bytes, and any change of a real log, are read or refused with a code', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      refusedOrRead(() => readFirmwareLog(bytes));
      refusedOrRead(() => readSystemLog(bytes));
      refusedOrRead(() => readSystemLog(concatBytes([encodeText('\u001e'), bytes])));
    }),
  );
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(), (place, mask, cut) => {
      const bytes = firmwareLog.slice(0, firmwareLog.length - (cut % 3 === 0 ? cut % firmwareLog.length : 0));
      const at = place % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ mask;
      refusedOrRead(() => readFirmwareLog(bytes));
    }),
    { numRuns: 300 },
  );
});

test('logs beyond their limits are refused before they are taken apart', () => {
  assert.throws(() => readFirmwareLog(new Uint8Array(600_000)), { code: 'attest/log-invalid' });
  assert.throws(() => readSystemLog(new Uint8Array(300_000)), { code: 'attest/log-invalid' });
  const many = '\u001e{}'.repeat(3000);
  assert.throws(() => readSystemLog(encodeText(many)), {
    code: 'attest/log-invalid',
    message: /3000 records/,
  });
  assert.throws(() => readFirmwareLog(firmwareLog.slice(0, -1)), { code: 'formats/truncated' });
});
