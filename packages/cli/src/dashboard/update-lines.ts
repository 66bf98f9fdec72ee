import { type GetUpdateResponse, HealthContractState, UpdatePhase, updatePhaseName } from '@plinth/api';
import { failureText } from '../client/follow-update.ts';
import { formatBytes } from '../output/units.ts';
import { harmless, type Line } from './cells.ts';
import type { Known } from './data.ts';
import { type Cell, facts } from './grid.ts';
import { orUnknown } from './panel-parts.ts';

/** updateLines says how far an update is, what comes next or why nothing does, and what went wrong last. */
export function updateLines(update: Known<GetUpdateResponse> | undefined): readonly Line[] {
  const { value } = update ?? {};
  const rows: [string, Cell][] = [['update', orUnknown(update, phaseCell)]];
  if (value) {
    const { staged, next, channel, contract, lastFallBack, blocked } = value;
    if (staged)
      rows.push(['staged', { text: `${staged.version}, plinth upgrade activates it`, mark: 'active' }]);
    rows.push(['next', nextCell(value)]);
    rows.push(['channel', { text: channel || '<none>' }]);
    if (next?.checkFailure) rows.push(['asked', { text: failureText(next.checkFailure), mark: 'doubtful' }]);
    if (contract?.state === HealthContractState.RUNNING)
      rows.push(['health', { text: `${contract.version} is proving itself`, mark: 'doubtful' }]);
    if (lastFallBack) {
      const why = lastFallBack.reason ? failureText(lastFallBack.reason) : '<unknown>';
      rows.push(['fell back', { text: `from ${lastFallBack.fromVersion}: ${why}`, mark: 'bad' }]);
    }
    if (blocked.length > 0)
      rows.push(['blocked', { text: blocked.map(({ version }) => version).join(', '), mark: 'doubtful' }]);
  }
  return facts(rows.map(([label, { text, mark }]) => [label, { text: harmless(text), mark }]));
}

function phaseCell({ phase, stage }: GetUpdateResponse): Cell {
  const name = updatePhaseName(phase);
  if (phase === UpdatePhase.FAILED)
    return { text: stage?.failure ? `${name}: ${failureText(stage.failure)}` : name, mark: 'bad' };
  const isMoving = phase === UpdatePhase.DOWNLOADING || phase === UpdatePhase.VERIFYING;
  if (!stage || !isMoving) return { text: name, mark: phase === UpdatePhase.IDLE ? 'faint' : 'active' };
  const share = stage.totalBytes > 0n ? ` ${(stage.doneBytes * 100n) / stage.totalBytes} %,` : '';
  const [fetched, copied] = [stage.fetchedBytes, stage.copiedBytes].map((bytes) =>
    formatBytes(Number(bytes)),
  );
  return { text: `${name} ${stage.version}:${share} ${fetched} fetched, ${copied} copied`, mark: 'active' };
}

function nextCell({ next }: GetUpdateResponse): Cell {
  if (!next) return { text: '<unknown>', mark: 'doubtful' };
  if (next.version !== '') return { text: next.version, mark: 'good' };
  const [reason] = next.reasons;
  return reason ? { text: `<none>: ${failureText(reason)}` } : { text: '<none>' };
}
