import { type Disk, type DiskHealth, DiskVerdict } from '@plinth/api';
import { type Block, facts, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';

/** Share of the promised life from which people order another disk. */
const NEARLY_USED_PERCENT = 90;

interface Asked {
  readonly name: string;
  readonly health: DiskHealth;
}

/** diskHealthBlocks show what disks say of their own health, their warnings, and of which it is not known. */
export function diskHealthBlocks(disks: readonly Disk[]): readonly Block[] {
  const asked = disks.flatMap(({ name, health }) => (health ? [{ name, health }] : []));
  const notes = disks.flatMap(({ name, health, smartUnread }): [string, string][] =>
    health
      ? health.warnings.map((warning) => [`${name} warns`, printable(warning)])
      : [[`SMART of ${name}`, printable(smartUnread) || 'not told']],
  );
  return [...(asked.length === 0 ? [] : [healthTable(asked)]), ...(notes.length === 0 ? [] : [facts(notes)])];
}

function healthTable(asked: readonly Asked[]): Block {
  const number = (header: string, value: (health: DiskHealth) => bigint | number | undefined, unit = '') => ({
    header,
    value: ({ health }: Asked) => {
      const told = value(health);
      return told === undefined ? '<unknown>' : `${told}${unit}`;
    },
    align: 'right' as const,
  });
  return table<Asked>(
    [
      { header: 'HEALTH', value: ({ name }) => name },
      { header: 'SAYS', value: ({ health }) => verdictText(health.verdict), mark: verdictMark },
      number('CELSIUS', ({ celsius }) => celsius),
      { ...number('USED', ({ usedPercent }) => usedPercent, '%'), mark: usedMark },
      number('REALLOCATED', ({ reallocatedSectors }) => reallocatedSectors),
      number('MEDIA-ERRORS', ({ mediaErrors }) => mediaErrors),
      number('HOURS', ({ powerOnHours }) => powerOnHours),
      { ...number('SPARE', ({ sparePercent }) => sparePercent, '%'), wide: true },
      { ...number('PENDING', ({ pendingSectors }) => pendingSectors), wide: true },
      { ...number('STARTS', ({ powerCycles }) => powerCycles), wide: true },
      { ...number('POWER-CUTS', ({ unsafeShutdowns }) => unsafeShutdowns), wide: true },
    ],
    asked,
    'No disk says anything of its health.',
  );
}

function verdictText(verdict: DiskVerdict): string {
  if (verdict === DiskVerdict.PASSED) return 'passed';
  return verdict === DiskVerdict.FAILING ? 'failing' : '<unknown>';
}

function verdictMark({ health: { verdict } }: Asked, style: Style) {
  if (verdict === DiskVerdict.PASSED) return style.good;
  return verdict === DiskVerdict.FAILING ? style.bad : style.doubtful;
}

function usedMark({ health: { usedPercent } }: Asked, style: Style) {
  return usedPercent !== undefined && usedPercent >= NEARLY_USED_PERCENT ? style.bad : style.faint;
}
