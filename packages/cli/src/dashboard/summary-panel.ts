import {
  actKindName,
  actStateName,
  type BootPhase,
  HealthState,
  membershipName,
  nodeRoleName,
  Verdict,
} from '@plinth/api';
import { durationMs } from '../client/duration.ts';
import { healthWord } from '../client/health-word.ts';
import { verdictWord } from '../client/verdicts.ts';
import { formatBytes, formatDuration } from '../output/units.ts';
import type { Line, Mark } from './cells.ts';
import type { DashboardData } from './data.ts';
import { type Cell, facts } from './grid.ts';
import { checkLines, orUnknown } from './panel-parts.ts';

/** healthMark is the colour of a state; only "healthy" is good. */
export function healthMark(state: HealthState): Mark {
  if (state === HealthState.HEALTHY) return 'good';
  return state === HealthState.UNHEALTHY ? 'bad' : 'doubtful';
}

/** summaryPanel is the node at one look: who, what runs, how it is, what is wrong. */
export function summaryPanel(data: DashboardData, widthCells: number): readonly Line[] {
  const { identity, versions, health, integrity, boot } = data;
  const open = (health?.value?.checks ?? []).filter(({ verdict }) => verdict !== Verdict.PASS);
  const rows: [string, Cell][] = [
    [
      'health',
      orUnknown(health, ({ state, checks }) => ({
        text: `${healthWord(state)}, ${checks.length - open.length} of ${checks.length} checks pass`,
        mark: healthMark(state),
      })),
    ],
    ['integrity', orUnknown(integrity, ({ verdict }) => verdictCell(verdict))],
    [
      'system',
      orUnknown(versions, (one) => ({
        text: `${one.osPrettyName}${one.imageVersion && ` (${one.imageVersion})`}`,
      })),
    ],
    [
      'kernel',
      orUnknown(versions, (one) => ({
        text: `${one.kernelRelease}, systemd ${one.systemd}, plinthd ${one.agent}`,
      })),
    ],
    ['up', orUnknown(health, ({ uptime }) => ({ text: formatDuration(durationMs(uptime)) }))],
    ['boot', orUnknown(boot, ({ phases, finished }) => bootCell(phases, finished))],
    ...resourceRows(data),
    ...kubernetesRows(data),
    ['addresses', orUnknown(identity, ({ addresses }) => ({ text: addresses.join(', ') }))],
    ['node id', orUnknown(identity, ({ nodeId }) => ({ text: nodeId }))],
    [
      'you are',
      orUnknown(identity, ({ caller }) => ({
        text: caller ? `${caller.commonName} (${caller.role})` : '<unknown>',
      })),
    ],
  ];
  return [...facts(rows), ...(open.length > 0 ? [[], ...checkLines(open, widthCells)] : [])];
}

function verdictCell(verdict: Verdict): Cell {
  const word = verdictWord(verdict);
  return { text: word, mark: word === 'pass' ? 'good' : word === 'fail' ? 'bad' : 'doubtful' };
}

function bootCell(phases: readonly BootPhase[], finished: boolean): Cell {
  if (phases.length === 0) return { text: '<unknown>', mark: 'doubtful' };
  const totalMs = phases.reduce((sum, { duration }) => sum + durationMs(duration), 0);
  const parts = phases.map(({ name, duration }) => `${name} ${formatDuration(durationMs(duration))}`);
  return { text: `${formatDuration(totalMs)}${finished ? '' : ', still booting'}: ${parts.join(', ')}` };
}

function resourceRows({ resources }: DashboardData): [string, Cell][] {
  return [
    [
      'memory',
      orUnknown(resources, ({ memory }) => {
        if (!memory) return { text: '<unknown>', mark: 'doubtful' };
        const used = Number(memory.totalBytes - memory.availableBytes);
        return { text: `${formatBytes(used)} of ${formatBytes(Number(memory.totalBytes))} in use` };
      }),
    ],
    [
      'load',
      orUnknown(resources, ({ load, processors, tasks }) => ({
        text: `${load.map((one) => one.toFixed(2)).join(' ')} on ${processors?.count ?? '<unknown>'} processors, ${tasks} tasks`,
      })),
    ],
  ];
}

function kubernetesRows({ kubernetes }: DashboardData): [string, Cell][] {
  const act = kubernetes?.value?.act;
  return [
    [
      'kubernetes',
      orUnknown(kubernetes, ({ membership, cluster, role, version }) => {
        const word = membershipName(membership);
        if (word === 'none') return { text: 'member of no cluster' };
        return {
          text: `${word} of ${cluster?.name || '<unknown>'} as ${nodeRoleName(role)}, version ${version}`,
        };
      }),
    ],
    ...(act
      ? ([['last act', { text: `${actKindName(act.kind)}, ${actStateName(act.state)}` }]] satisfies [
          string,
          Cell,
        ][])
      : []),
  ];
}
