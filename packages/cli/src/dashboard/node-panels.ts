import { bootStateName, type LogEntry } from '@plinth/api';
import { formatBytes, shortenHash } from '../output/units.ts';
import type { Line, Mark } from './cells.ts';
import type { DashboardData } from './data.ts';
import { facts, grid } from './grid.ts';
import { checkLines, waitingLines } from './panel-parts.ts';
import { updateLines } from './update-lines.ts';

/** servicesPanel lists the services, failed ones first as the node sends them. */
export function servicesPanel({ services }: DashboardData, widthCells: number): readonly Line[] {
  const { value } = services ?? {};
  if (!value) return waitingLines(services, 'services');
  const running = value.services.filter(({ activeState }) => activeState === 'active').length;
  const bad = value.services.filter(({ activeState }) => activeState === 'failed').length;
  const rows = value.services.map((one) => [
    { text: one.name },
    { text: `${one.activeState} (${one.subState})`, mark: stateMark(one.activeState) },
    { text: one.memoryBytes === undefined ? '' : formatBytes(Number(one.memoryBytes)) },
    { text: one.restarts === 0 ? '' : String(one.restarts) },
    { text: one.description, mark: 'faint' as const },
  ]);
  return [
    [
      {
        text:
          value.total === 0 && value.notObserved.length > 0
            ? '<unknown>'
            : `${running} active, ${bad} failed, ${value.total} in all`,
        mark: servicesMark(bad, value.notObserved),
      },
    ],
    [],
    ...grid(
      [
        { header: 'NAME' },
        { header: 'STATE' },
        { header: 'MEMORY', align: 'right' },
        { header: 'AGAIN', align: 'right' },
        { header: 'WHAT' },
      ],
      rows,
      widthCells,
    ),
    ...notObserved(value.notObserved),
  ];
}

/** What was not observed is never fine. */
function servicesMark(bad: number, unseen: readonly string[]): Mark {
  if (bad > 0) return 'bad';
  return unseen.length > 0 ? 'doubtful' : 'good';
}

function stateMark(activeState: string): Mark | undefined {
  if (activeState === 'active') return 'good';
  if (activeState === 'failed') return 'bad';
  return activeState === 'inactive' ? 'faint' : 'doubtful';
}

/** slotsPanel shows the slots, what the boot loader may start, and how far an update is. */
export function slotsPanel({ slots, update }: DashboardData, widthCells: number): readonly Line[] {
  const { value } = slots ?? {};
  if (!value) return waitingLines(slots, 'slots');
  const yesNo = (yes: boolean) => ({ text: yes ? 'yes' : 'no', mark: yes ? ('good' as const) : undefined });
  return [
    ...grid(
      [{ header: 'SLOT' }, { header: 'VERSION' }, { header: 'BOOTED' }, { header: 'SIZE', align: 'right' }],
      value.slots.map(({ name, version, booted, partitions }) => [
        { text: name },
        { text: version || '<none>' },
        yesNo(booted),
        { text: formatBytes(partitions.reduce((sum, { sizeBytes }) => sum + Number(sizeBytes), 0)) },
      ]),
      widthCells,
    ),
    [],
    ...(value.espReadable
      ? grid(
          [
            { header: 'ENTRY' },
            { header: 'VERSION' },
            { header: 'STATE' },
            { header: 'TRIES' },
            { header: 'BOOTED' },
          ],
          value.bootEntries.map(({ file, version, state, triesLeft, triesDone, booted }) => [
            { text: file },
            { text: version },
            { text: bootStateName(state), mark: BOOT_MARKS[bootStateName(state)] },
            { text: bootStateName(state) === 'good' ? '' : `${triesLeft} left, ${triesDone} done` },
            yesNo(booted),
          ]),
          widthCells,
        )
      : [[{ text: 'Boot entries: <unknown>, the ESP cannot be read.', mark: 'doubtful' as const }]]),
    [],
    ...updateLines(update),
  ];
}

const BOOT_MARKS = { good: 'good', trial: 'doubtful', bad: 'bad', unknown: 'doubtful' } as const;

/** integrityPanel shows every check, those that do not pass first, and by what the root is known. */
export function integrityPanel({ integrity }: DashboardData, widthCells: number): readonly Line[] {
  const { value } = integrity ?? {};
  if (!value) return waitingLines(integrity, 'integrity');
  const odd = value.mounts.filter(({ difference }) => difference !== '');
  return [
    ...facts([
      ['root hash', { text: value.rootHash === '' ? '<none>' : shortenHash(value.rootHash) }],
      [
        'mounts',
        {
          text: `${value.mounts.length}, ${odd.length} not as expected`,
          mark: odd.length > 0 ? 'bad' : undefined,
        },
      ],
    ]),
    [],
    ...checkLines(value.checks, widthCells),
    ...odd.map(({ target, difference }): Line => [{ text: `${target}: ${difference}`, mark: 'bad' }]),
  ];
}

/** logsPanel shows the journal, the newest last. */
export function logsPanel({ logs }: DashboardData): readonly Line[] {
  const { value, problem } = logs ?? {};
  if (!value) return waitingLines(logs, 'logs; nothing has come yet');
  return [
    ...value.map(logLine),
    ...(problem === undefined
      ? []
      : [[{ text: `The log broke off: ${problem}. It is opened again.`, mark: 'doubtful' as const }]]),
  ];
}

function logLine({ time, unit, identifier, priority, message }: LogEntry): Line {
  const clock = time ? new Date(Number(time.seconds) * 1000).toISOString().slice(11, 19) : '--:--:--';
  const mark = priority !== undefined && priority <= 3 ? 'bad' : priority === 4 ? 'doubtful' : undefined;
  const who = identifier || unit || 'kernel';
  return [
    { text: `${clock} `, mark: 'faint' },
    { text: `${who}: `, mark: 'active' },
    { text: message, mark },
  ];
}

/** networkPanel shows links with their addresses, the way out, and who resolves names. */
export function networkPanel({ network }: DashboardData, widthCells: number): readonly Line[] {
  const { value } = network ?? {};
  if (!value) return waitingLines(network, 'the network');
  const defaults = value.routes.filter(({ destination }) => destination === 'default');
  return [
    ...grid(
      [
        { header: 'LINK' },
        { header: 'STATE' },
        { header: 'ADDRESSES' },
        { header: 'MTU', align: 'right' },
        { header: 'IN', align: 'right' },
        { header: 'OUT', align: 'right' },
        { header: 'ERRORS', align: 'right' },
      ],
      value.links.map(({ name, state, addresses, mtu, received, sent }) => {
        const errors = Number((received?.errors ?? 0n) + (sent?.errors ?? 0n));
        return [
          { text: name },
          {
            text: state,
            mark: state === 'up' ? ('good' as const) : state === 'down' ? ('bad' as const) : undefined,
          },
          { text: addresses.map(({ cidr }) => cidr).join(' ') },
          { text: String(mtu) },
          { text: formatBytes(Number(received?.bytes ?? 0n)) },
          { text: formatBytes(Number(sent?.bytes ?? 0n)) },
          { text: String(errors), mark: errors > 0 ? ('doubtful' as const) : undefined },
        ];
      }),
      widthCells,
    ),
    [],
    ...facts([
      ...defaults.map(({ gateway, device }): [string, { text: string }] => [
        'default',
        { text: `${gateway} by ${device}` },
      ]),
      ...(defaults.length === 0 ? [['default', { text: '<none>', mark: 'doubtful' }] as const] : []),
      ['routes', { text: String(value.routes.length) }],
      ['neighbours', { text: String(value.neighbours.length) }],
      [
        'resolver',
        { text: value.dns ? `${value.dns.resolvConfMode}, ${value.dns.queries} queries` : '<unknown>' },
      ],
    ]),
    ...notObserved(value.notObserved),
  ];
}

function notObserved(parts: readonly string[]): readonly Line[] {
  return parts.map((text): Line => [{ text: `not observed: ${text}`, mark: 'doubtful' }]);
}
