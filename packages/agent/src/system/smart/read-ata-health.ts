import type { MessageInitShape } from '@bufbuild/protobuf';
import { type DiskHealthSchema, DiskVerdict } from '@plinth/api';

/** What a disk says of its health, but for the time it was asked. */
export type DiskHealthShape = Omit<MessageInitShape<typeof DiskHealthSchema>, '$typeName' | '$unknown'>;

/** What an ATA disk answered; sectors of 512 bytes. */
export interface AtaAnswer {
  readonly identify: Buffer;
  /** SMART READ DATA. */
  readonly values: Buffer | undefined;
  /** SMART READ ATTRIBUTE THRESHOLDS. */
  readonly thresholds: Buffer | undefined;
  /** SMART RETURN STATUS. */
  readonly passed: boolean | undefined;
  /** Page "Solid State Device Statistics" of the device statistics. */
  readonly endurance: Buffer | undefined;
}

interface Attribute {
  readonly id: number;
  /** Whether reaching the threshold means that the disk will fail soon; else it has only become old. */
  readonly fails: boolean;
  /** Normalized: the higher the better. */
  readonly current: number;
  readonly raw: Buffer;
}

const SECTOR_BYTES = 512;
const ATTRIBUTES = 30;
const ATTRIBUTE_BYTES = 12;
const FIRST = 2;

/** Attributes that all makers use alike; no standard gives them, smartmontools' list does. */
const ID = {
  reallocated: 5,
  hours: 9,
  cycles: 12,
  airflow: 190,
  celsius: 194,
  pending: 197,
  uncorrectable: 198,
};
/** No disk that works is colder or hotter; makers who keep something else there would be read wrong. */
const CREDIBLE_CELSIUS = { least: -40, most: 125 };

/** readAtaHealth reads what an ATA disk says; undefined for a disk that says nothing of its health. Pure. */
export function readAtaHealth({
  values,
  thresholds,
  passed,
  endurance,
}: AtaAnswer): DiskHealthShape | undefined {
  const attributes = isSound(values) ? attributesOf(values) : undefined;
  const usedPercent = endurance && usedOf(endurance);
  if (attributes === undefined && passed === undefined && usedPercent === undefined) return undefined;
  const raw = (id: number, bytes: number) =>
    attributes?.find((one) => one.id === id)?.raw.readUIntLE(0, bytes);
  const number = (id: number, bytes: number) => {
    const value = raw(id, bytes);
    return value === undefined ? undefined : BigInt(value);
  };
  const below = attributes && isSound(thresholds) ? belowThreshold(attributes, thresholds) : [];
  const fails = passed === false || below.some((one) => one.fails);
  const celsius = [ID.celsius, ID.airflow]
    .map((id) => celsiusOf(raw(id, 1)))
    .find((one) => one !== undefined);
  const found = {
    celsius,
    usedPercent,
    // Of these the upper bytes hold something else with some makers.
    reallocatedSectors: number(ID.reallocated, 2),
    powerOnHours: number(ID.hours, 3),
    pendingSectors: number(ID.pending, 4),
    mediaErrors: number(ID.uncorrectable, 4),
    powerCycles: number(ID.cycles, 4),
  };
  return {
    verdict: fails
      ? DiskVerdict.FAILING
      : passed === undefined
        ? DiskVerdict.UNSPECIFIED
        : DiskVerdict.PASSED,
    warnings: [
      ...(passed === false ? ['it expects to fail'] : []),
      ...below.map(({ id, fails: soon }) =>
        soon ? `its attribute ${id} says that it will fail` : `its attribute ${id} says that it is worn`,
      ),
    ],
    ...Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)),
  };
}

/** The bytes of such a sector add up to nothing (ACS-3, SMART READ DATA). */
function isSound(sector: Buffer | undefined): sector is Buffer {
  return sector?.length === SECTOR_BYTES && sector.reduce((sum, byte) => sum + byte, 0) % 256 === 0;
}

function attributesOf(values: Buffer): readonly Attribute[] {
  return entriesOf(values).map((entry) => ({
    id: entry.readUInt8(0),
    fails: (entry.readUInt16LE(1) & 1) === 1,
    current: entry.readUInt8(3),
    raw: entry.subarray(5, 11),
  }));
}

function belowThreshold(attributes: readonly Attribute[], thresholds: Buffer): readonly Attribute[] {
  const limits = new Map(entriesOf(thresholds).map((entry) => [entry.readUInt8(0), entry.readUInt8(1)]));
  // A current of 0 or of 254 and more and a threshold of 0 mean nothing.
  return attributes.filter(({ id, current }) => {
    const limit = limits.get(id) ?? 0;
    return limit > 0 && current > 0 && current < 254 && current <= limit;
  });
}

function entriesOf(sector: Buffer): readonly Buffer[] {
  return Array.from({ length: ATTRIBUTES }, (_, index) => FIRST + index * ATTRIBUTE_BYTES)
    .map((at) => sector.subarray(at, at + ATTRIBUTE_BYTES))
    .filter((entry) => entry.readUInt8(0) !== 0);
}

function celsiusOf(raw: number | undefined): number | undefined {
  if (raw === undefined || raw === 0) return undefined;
  const celsius = raw > 127 ? raw - 256 : raw;
  return celsius >= CREDIBLE_CELSIUS.least && celsius <= CREDIBLE_CELSIUS.most ? celsius : undefined;
}

/** "Percentage Used Endurance Indicator" (ACS-3, A.5.8): a number whose upper byte says that it is there and holds. */
function usedOf(page: Buffer): number | undefined {
  const [NUMBER, OFFSET, THERE_AND_VALID] = [7, 8, 0xc0];
  if (page.length !== SECTOR_BYTES || page.readUInt8(2) !== NUMBER) return undefined;
  const flags = page.readUInt8(OFFSET + 7);
  return (flags & THERE_AND_VALID) === THERE_AND_VALID ? page.readUInt8(OFFSET) : undefined;
}
