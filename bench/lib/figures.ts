import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';

/** One line of a table of figures. */
export type Row = readonly (string | number)[];

/** median of one or more values; of an even number of them, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const around = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return around.reduce<number>((sum, value) => sum + (value ?? Number.NaN) / 2, 0);
}

/** percentile is the smallest value that `part` (0 to 1) of all values do not exceed. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

/** printTable prints rows under their headings; numbers are on the right. */
export function printTable(title: string, headings: readonly string[], rows: readonly Row[]): void {
  const cells = [headings, ...rows].map((row) => row.map(String));
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const isNumber = headings.map((_, column) =>
    rows.every((row) => /^[\d.,]+( \w+)?$/.test(String(row[column]))),
  );
  console.log(`\n${title}`);
  for (const row of cells) {
    const padded = row.map((cell, column) =>
      isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    );
    console.log(`  ${padded.join('  ').trimEnd()}`);
  }
}

/** A figure against what the project promises. */
export interface Target {
  readonly what: string;
  readonly value: number;
  readonly atMost: number;
  readonly unit: string;
}

/** printTargets prints each figure with its target and whether it is met. */
export function printTargets(targets: readonly Target[]): void {
  printTable(
    'Targets',
    ['figure', 'measured', 'at most', ''],
    targets.map(({ what, value, atMost, unit }) => [
      what,
      `${value.toFixed(unit === 'packages' ? 0 : 2)} ${unit}`,
      `${atMost} ${unit}`,
      value <= atMost ? 'met' : 'MISSED',
    ]),
  );
}

/** printConditions says where and under which load the figures were taken; without that they mean little. */
export function printConditions(extra: readonly Row[] = []): void {
  printTable(
    'Conditions',
    ['', ''],
    [
      ['date', new Date().toISOString()],
      ['processors', `${availableParallelism()} x ${cpus()[0]?.model.trim() ?? 'unknown'}`],
      ['memory', `${Math.round(totalmem() / 1024 ** 3)} GiB`],
      ['load at the end', loadNow()],
      ['node', process.version],
      ...extra,
    ],
  );
}

/** The load of the last 1, 5 and 15 minutes. */
export function loadNow(): string {
  return loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
}

/** seconds writes milliseconds as seconds with one decimal. */
export function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
