import type { Check, MovePlan } from '../migrate/plan.ts';
import type { Part, Report, Section } from './document.ts';

const IN_PLACE = {
  yes: 'allowed in place',
  no: 'not in place',
  unverified: 'in place by the general rule; no source says so for this pair',
} as const;

const VERDICT = {
  ready: 'nothing blocks it',
  unknown: 'not known: something that blocks could not be judged',
  blocked: 'blocked',
} as const;

/** planReport tells a plan in the order in which it is carried out. */
export function planReport(plan: MovePlan): Report {
  const { from, to, pool, method, asOf } = plan;
  return {
    title: `From ${from.name} to ${to.name}, pool ${pool.name} on ${pool.platform}, as of ${asOf}`,
    sections: [
      { heading: 'Way', parts: [wayList(plan)] },
      { heading: 'Prerequisites', parts: [checkTable(plan.checks), ...fixes(plan.checks)], onlyOn: 'files' },
      {
        heading: 'Prerequisites',
        parts: [openTable(plan.checks), ...fixes(plan.checks)],
        onlyOn: 'terminal',
      },
      { heading: 'Settings', parts: settings(plan) },
      ...plan.steps.map(
        ({ title, run, note }, i): Section => ({
          heading: `${i + 1}. ${title}`,
          parts: [
            ...(run.length > 0 ? [{ kind: 'commands', lines: run } as const] : []),
            ...(note === undefined ? [] : [{ kind: 'text', text: sentence(note) } as const]),
          ],
        }),
      ),
      { heading: 'Way back', parts: wayBack(plan) },
      {
        heading: 'Time',
        parts: [
          { kind: 'text', text: `${timeText(plan)} (effort: ${method.effort})` },
          { kind: 'list', items: plan.estimate.assumptions },
        ],
      },
      ...(plan.notes.length > 0
        ? [{ heading: 'Worth knowing', parts: [noteList(plan)] } satisfies Section]
        : []),
    ],
  };
}

function wayList({ move, method, source, verdict, crossing, targetPlatform, placeholders }: MovePlan): Part {
  return {
    kind: 'list',
    items: [
      `${method.title}`,
      `${IN_PLACE[move.inPlace]}: ${move.reason} (${source.title}, ${source.publisher}, read ${source.read}${move.confidence === 'documented' ? '' : `; ${move.confidence}: check it before you rely on it`})`,
      ...(crossing ? [`it leaves the platform: the target runs on ${targetPlatform}`] : []),
      `verdict: ${VERDICT[verdict]}`,
      ...(placeholders.length > 0
        ? [
            `fill in what stands in capitals: ${placeholders.map((name) => name.toUpperCase().replaceAll('-', '_')).join(', ')}`,
          ]
        : []),
    ],
  };
}

const ORDER: readonly Check['state'][] = ['blocks', 'warns', 'unknown', 'met'];

function checkTable(checks: readonly Check[]): Part {
  const sorted = checks.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  return {
    kind: 'table',
    header: ['State', 'Check', 'Needed', 'Missing', 'Source'],
    rows: sorted.map(({ state, id, says, missing, source }) => [
      state,
      id,
      says,
      state === 'unknown' ? missing.join(', ') : '',
      source.title,
    ]),
  };
}

/** What is not met; the rest in one row. */
function openTable(checks: readonly Check[]): Part {
  const sorted = checks
    .filter(({ state }) => state !== 'met')
    .toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  const met = checks.filter(({ state }) => state === 'met').map(({ id }) => id);
  return {
    kind: 'table',
    header: ['State', 'Needed', 'Missing'],
    rows: [
      ...sorted.map(({ state, says, missing }) => [
        state,
        says,
        state === 'unknown' ? missing.join(', ') : 'it is not so',
      ]),
      ...(met.length > 0 ? [['met', `${met.length} others`, 'nothing']] : []),
    ],
  };
}

function fixes(checks: readonly Check[]): readonly Part[] {
  const items = checks.flatMap(({ state, id, fix }) =>
    state === 'met' || fix === undefined ? [] : [`${id}: ${fix}`],
  );
  return items.length > 0 ? [{ kind: 'list', items }] : [];
}

function settings({ settings: rows }: MovePlan): readonly Part[] {
  const commands = rows.flatMap(({ run }) => run ?? []);
  return [
    {
      kind: 'table',
      header: ['Setting', 'Value', 'Why'],
      rows: rows.map(({ name, value, why }) => [name, value, why]),
    },
    ...(commands.length > 0 ? [{ kind: 'commands', lines: commands } as const] : []),
  ];
}

function wayBack({ wayBack: { run, says, ends } }: MovePlan): readonly Part[] {
  return [
    { kind: 'text', text: `${sentence(says)} It ends ${ends}.` },
    ...(run.length > 0 ? [{ kind: 'commands', lines: run } as const] : []),
  ];
}

function noteList({ notes }: MovePlan): Part {
  return { kind: 'list', items: notes.map(({ says, source }) => `${says} (${source.title})`) };
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function timeText({ estimate: { minutes, worstMinutes } }: MovePlan): string {
  const worst =
    worstMinutes === undefined
      ? ''
      : `, at most ${hours(worstMinutes)} when every node takes its drain timeout`;
  return `About ${hours(minutes)}${worst}`;
}

function hours(minutes: number): string {
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
