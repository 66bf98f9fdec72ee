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
  const { from, to, pool, asOf } = plan;
  return {
    title: `From ${from.name} to ${to.name}, pool ${pool.name} on ${pool.platform}, as of ${asOf}`,
    sections: [
      { heading: 'Way', parts: [wayList(plan)] },
      { heading: 'Prerequisites', parts: [checkTable(plan.checks), ...fixes(plan.checks)], onlyOn: 'files' },
      {
        heading: 'Prerequisites',
        parts: [openList(plan.checks)],
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
          { kind: 'text', text: timeText(plan) },
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
    rows: sorted.map((check) => [check.state, check.id, check.says, missingText(check), check.source.title]),
  };
}

/** What is not met, in lines that no terminal has to cut, each with its way on; the rest in one line. */
function openList(checks: readonly Check[]): Part {
  const sorted = checks
    .filter(({ state }) => state !== 'met')
    .toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  const met = checks.length - sorted.length;
  return {
    kind: 'list',
    items: [
      ...sorted.map((check) => {
        const { state, says, fix } = check;
        const isOpen = state === 'unknown';
        const why = isOpen ? ` (not told: ${missingText(check)})` : ': no';
        return `${state}: ${says}${why}${fix === undefined ? '' : `. ${isOpen ? 'If not' : 'Way on'}: ${fix}`}`;
      }),
      ...(met > 0 ? [`met: ${met} ${sorted.length > 0 ? 'others' : 'of them, that is all'}`] : []),
    ],
  };
}

/** What nobody told of the pool, and what is not known of the target: the same word can stand for both. */
function missingText({ state, open, missing }: Check): string {
  return state === 'unknown' ? [...open, ...missing.map((key) => `${key} of the target`)].join(', ') : '';
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
    { kind: 'list', items: rows.map(({ name, value, why }) => `${name}, ${value}: ${why}`) },
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

function timeText({ estimate: { minutes, worstMinutes, machinesOnly }, method }: MovePlan): string {
  if (machinesOnly)
    return `Some ${method.effort}: about ${hours(minutes)} until the machines are up; how long workloads, data and traffic take is not estimated`;
  const worst =
    worstMinutes === undefined
      ? ''
      : `, at most ${hours(worstMinutes)} when every node takes its drain timeout`;
  return `About ${hours(minutes)}${worst} (effort: ${method.effort})`;
}

function hours(minutes: number): string {
  if (minutes < 120) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
