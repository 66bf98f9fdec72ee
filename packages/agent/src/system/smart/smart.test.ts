import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DiskVerdict } from '@plinth/api';
import fc from 'fast-check';
import { ProgramFailure, type Sys } from '../../sys/sys.ts';
import { askDisks, smartArguments } from './ask-disks.ts';
import { openDiskHealth } from './disk-health.ts';
import { readAtaHealth } from './read-ata-health.ts';
import { readNvmeHealth } from './read-nvme-health.ts';

/** A health log as an NVMe controller sends it: 41 °C, 97 % used, 3 % spare. */
function nvmePage(critical: number): Buffer {
  const page = Buffer.alloc(512);
  page.writeUInt8(critical, 0);
  page.writeUInt16LE(41 + 273, 1);
  page.writeUInt8(3, 3);
  page.writeUInt8(97, 5);
  page.writeBigUInt64LE(12n, 112);
  page.writeBigUInt64LE(21_904n, 128);
  page.writeBigUInt64LE(7n, 144);
  page.writeBigUInt64LE(1n, 160 + 8);
  return page;
}

/** A sector of attributes or thresholds whose bytes add up to nothing. */
function ataSector(entries: readonly (readonly number[])[]): Buffer {
  const sector = Buffer.alloc(512);
  sector.writeUInt16LE(1, 0);
  entries.forEach((entry, index) => {
    Buffer.from(entry).copy(sector, 2 + index * 12);
  });
  sector.writeUInt8((256 - (sector.reduce((sum, byte) => sum + byte, 0) % 256)) % 256, 511);
  return sector;
}

/** id, flags (2), current, worst, raw (6). */
const values = ataSector([
  [5, 3, 0, 100, 100, 8, 0, 99, 0, 0, 0],
  [9, 2, 0, 90, 90, 0x90, 0x55, 0, 7, 0, 0],
  [12, 2, 0, 99, 99, 30, 0, 0, 0, 0, 0],
  [194, 2, 0, 60, 50, 36, 0, 20, 0, 45, 0],
  [197, 2, 0, 100, 100, 2, 0, 0, 0, 0, 0],
]);
const thresholds = ataSector([
  [5, 10],
  [9, 0],
  [194, 0],
]);
const identify = Buffer.alloc(512);
const sata = { identify, values, thresholds, passed: true, endurance: undefined } as const;

test('an NVMe disk: numbers of its log, and each warning in words', () => {
  assert.deepEqual(readNvmeHealth(nvmePage(0)), {
    ...{ verdict: DiskVerdict.PASSED, warnings: [] },
    ...{ celsius: 41, sparePercent: 3, usedPercent: 97 },
    ...{ powerCycles: 12n, powerOnHours: 21_904n, unsafeShutdowns: 7n },
    // More than 64 bits hold.
    mediaErrors: 0xffff_ffff_ffff_ffffn,
  });
  const failing = readNvmeHealth(nvmePage(0b100_1001));
  assert.equal(failing?.verdict, DiskVerdict.FAILING);
  assert.deepEqual(failing?.warnings, [
    'its spare blocks have run out',
    'it takes no more writes',
    'it warns of something of a later standard',
  ]);
  assert.equal(readNvmeHealth(Buffer.alloc(512)), undefined);
  assert.equal(readNvmeHealth(nvmePage(0).subarray(0, 511)), undefined);
});

test('an ATA disk: attributes that all makers use alike, without what some put beside them', () => {
  assert.deepEqual(readAtaHealth(sata), {
    ...{ verdict: DiskVerdict.PASSED, warnings: [] },
    ...{ celsius: 36, reallocatedSectors: 8n, powerOnHours: 21_904n, powerCycles: 30n, pendingSectors: 2n },
  });
});

test('an ATA disk fails by its own verdict and by an attribute that says so; one that is only old does not', () => {
  const failing = readAtaHealth({ ...sata, passed: false });
  assert.deepEqual([failing?.verdict, failing?.warnings], [DiskVerdict.FAILING, ['it expects to fail']]);
  const below = readAtaHealth({ ...sata, thresholds: ataSector([[5, 100]]) });
  assert.deepEqual(
    [below?.verdict, below?.warnings],
    [DiskVerdict.FAILING, ['its attribute 5 says that it will fail']],
  );
  const old = readAtaHealth({ ...sata, thresholds: ataSector([[9, 95]]) });
  assert.deepEqual(
    [old?.verdict, old?.warnings],
    [DiskVerdict.PASSED, ['its attribute 9 says that it is worn']],
  );
});

test('what an ATA disk does not say is absent, and a damaged sector says nothing', () => {
  const damaged = Buffer.from(values);
  damaged.writeUInt8(damaged.readUInt8(7) ^ 1, 7);
  assert.deepEqual(readAtaHealth({ ...sata, values: damaged }), {
    verdict: DiskVerdict.PASSED,
    warnings: [],
  });
  const unknown = readAtaHealth({ ...sata, passed: undefined });
  assert.equal(unknown?.verdict, DiskVerdict.UNSPECIFIED);
  assert.equal(readAtaHealth({ ...sata, values: undefined, passed: undefined }), undefined);
  // A maker who keeps something else where the temperature is; the other place is then looked at.
  const odd = ataSector([
    [194, 2, 0, 60, 50, 126],
    [190, 2, 0, 60, 50, 31],
  ]);
  assert.equal(readAtaHealth({ ...sata, values: odd })?.celsius, 31);
});

test('the endurance of a solid state disk counts only where the page says that it is there and holds', () => {
  const page = (flags: number) => {
    const sector = Buffer.alloc(512);
    sector.writeUInt8(7, 2);
    sector.writeUInt8(61, 8);
    sector.writeUInt8(flags, 15);
    return sector;
  };
  assert.equal(readAtaHealth({ ...sata, endurance: page(0xc0) })?.usedPercent, 61);
  for (const endurance of [page(0x80), page(0), Buffer.alloc(512), Buffer.alloc(3)])
    assert.equal(readAtaHealth({ ...sata, endurance })?.usedPercent, undefined);
});

test('no bytes of a disk make the reading fail, and what is read is credible', () => {
  const sector = fc.uint8Array({ minLength: 512, maxLength: 512 }).map((bytes) => Buffer.from(bytes));
  const attributes = fc
    .array(fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 12, maxLength: 12 }), { maxLength: 30 })
    .map((entries) => ataSector(entries));
  const option = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
  fc.assert(
    fc.property(
      ...([sector, option(attributes), option(attributes), option(fc.boolean()), option(sector)] as const),
      (page, values, thresholds, passed, endurance) => {
        const nvme = readNvmeHealth(page);
        assert.ok(nvme && (nvme.verdict === DiskVerdict.PASSED) === (nvme.warnings?.length === 0));
        const ata = readAtaHealth({ identify: page, values, thresholds, passed, endurance });
        assert.equal(ata === undefined && values === undefined, ata === undefined);
        assert.ok(ata?.celsius === undefined || (ata.celsius >= -40 && ata.celsius <= 125));
        assert.ok(!(passed === false && ata?.verdict !== DiskVerdict.FAILING));
      },
    ),
  );
});

test('the unit may read the disks it is given, with the right that the question takes and no other', () => {
  const words = smartArguments([{ name: 'nvme0n1', speaks: 'nvme' }]);
  assert.ok(words.includes('--property=CapabilityBoundingSet=CAP_SYS_ADMIN'));
  assert.ok(words.includes('--property=DeviceAllow=/dev/nvme0n1 r'));
  assert.ok(words.includes('--property=DevicePolicy=closed'));
  assert.deepEqual(words.slice(-3), ['--', '/usr/bin/plinth-smart', '/dev/nvme0n1']);
  const both = smartArguments([
    { name: 'nvme0n1', speaks: 'nvme' },
    { name: 'sda', speaks: 'ata' },
  ]);
  assert.ok(both.includes('--property=CapabilityBoundingSet=CAP_SYS_ADMIN CAP_SYS_RAWIO'));
});

/** A machine whose plinth-smart writes these lines, and then ends as told. */
function machine(lines: readonly string[], end?: Error): Pick<Sys, 'stream'> {
  return {
    async *stream() {
      // In pieces that know nothing of lines.
      for (const piece of lines
        .map((line) => `${line}\n`)
        .join('')
        .match(/[\s\S]{1,7}/g) ?? [])
        yield Buffer.from(piece);
      if (end) throw end;
    },
  };
}

const NVME = { name: 'nvme0n1', speaks: 'nvme' } as const;
const SDA = { name: 'sda', speaks: 'ata' } as const;
const said = (disk: string) => JSON.stringify({ disk, nvme: { health: nvmePage(0).toString('base64') } });

test('each disk has an answer: its own, its reason, or why nothing came', async () => {
  const sleeping = JSON.stringify({ disk: 'sda', unread: 'it sleeps, and asking would wake it' });
  const answers = await askDisks(machine([sleeping, said('nvme0n1')]), [NVME, SDA]);
  assert.deepEqual(answers.get('sda'), { unread: 'it sleeps, and asking would wake it' });
  assert.ok('health' in (answers.get('nvme0n1') ?? {}));

  const cut = await askDisks(
    machine([said('nvme0n1')], new ProgramFailure('systemd-run', 1, 'Unit is there')),
    [NVME, SDA],
  );
  assert.ok('health' in (cut.get('nvme0n1') ?? {}));
  assert.deepEqual(cut.get('sda'), { unread: 'it was not asked: systemd-run ended with 1: Unit is there' });

  const silent = await askDisks(machine([]), [SDA]);
  assert.match(JSON.stringify(silent.get('sda')), /ended without a word/);
  const garbage = await askDisks(machine(['{"disk":"sda","ata":{"identify":"?"}}']), [SDA]);
  assert.match(JSON.stringify(garbage.get('sda')), /not asked/);
});

test('an answer is kept for a minute, a refusal is not', async () => {
  let [nowMs, asked] = [1_000_000, ''];
  const sys: Pick<Sys, 'stream' | 'nowMs'> = {
    nowMs: () => nowMs,
    async *stream(_program, args) {
      asked += ` ${args.slice(args.indexOf('--') + 2).join(',')}`;
      yield Buffer.from(`${said('nvme0n1')}\n`);
    },
  };
  const healthOf = openDiskHealth(sys);
  await healthOf([NVME, SDA]);
  const again = await healthOf([NVME, SDA]);
  assert.equal(asked, ' /dev/nvme0n1,/dev/sda /dev/sda');
  assert.equal(again.get('nvme0n1')?.health?.askedAt?.seconds, 1000n);
  assert.equal(again.get('nvme0n1')?.smartUnread, '');
  nowMs += 60_000;
  await healthOf([NVME]);
  assert.match(asked, /\/dev\/nvme0n1$/);
  assert.deepEqual([...(await openDiskHealth(sys)([]))], []);
});
