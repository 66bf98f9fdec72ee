import type { CisBenchmark, CisCheck, CisCondition } from './benchmark.ts';
import { type CisFacts, valuesAt } from './facts.ts';

/**
 * pass and fail are judged; accepted: it fails and is meant to; manual: it cannot be judged from a node's files; unknown:
 * what it looks at was not seen.
 */
export type CisVerdict = 'pass' | 'fail' | 'accepted' | 'manual' | 'unknown';

export interface CisResult {
  readonly id: string;
  /** Where it stands in the benchmark; "" when that names no sections. */
  readonly section: string;
  readonly title: string;
  readonly verdict: CisVerdict;
  /** What was seen that decided, or why nothing was judged. */
  readonly reason: string;
}

/** What a check is judged by. */
interface Judged {
  readonly facts: CisFacts;
  readonly lists: CisBenchmark['lists'];
}

interface Outcome {
  readonly verdict: 'pass' | 'fail' | 'unknown';
  readonly reason: string;
}

/** How many files of one pattern are named when they fail. */
const NAMED_FILES = 5;

/** evaluateCis judges every check that is for a node of that role, in the benchmark's order; pure. */
export function evaluateCis(benchmark: CisBenchmark, facts: CisFacts): readonly CisResult[] {
  return benchmark.checks
    .filter(({ scope }) => scope === 'node' || facts.role === 'control-plane')
    .map((check) => ({
      id: check.id,
      section: sectionOf(check.id, benchmark.sections),
      title: check.title,
      ...evaluate(check, { facts, lists: benchmark.lists }),
    }));
}

function sectionOf(id: string, sections: CisBenchmark['sections']): string {
  const parts = id.split('.');
  return sections[parts.slice(0, 2).join('.')] ?? sections[parts[0] ?? ''] ?? '';
}

function evaluate(check: CisCheck, judged: Judged): Pick<CisResult, 'verdict' | 'reason'> {
  if (check.manual !== undefined) return { verdict: 'manual', reason: check.manual };
  const outcome = judge(check, judged);
  if (outcome.verdict === 'fail' && check.accepted !== undefined)
    return { verdict: 'accepted', reason: `${outcome.reason}; meant: ${check.accepted}` };
  return outcome;
}

function judge({ all, any, files }: CisCheck, judged: Judged): Outcome {
  if (files) return judgeFiles(files, judged.facts);
  const outcomes = (all ?? any ?? []).map((condition) => judgeCondition(condition, judged));
  const deciding = any ? (['pass', 'unknown', 'fail'] as const) : (['fail', 'unknown', 'pass'] as const);
  const verdict = deciding.find((one) => outcomes.some((outcome) => outcome.verdict === one)) ?? 'unknown';
  return {
    verdict,
    reason: outcomes
      .filter((one) => one.verdict === verdict)
      .map(({ reason }) => reason)
      .join('; '),
  };
}

function judgeCondition(condition: CisCondition, judged: Judged): Outcome {
  const subject = lookUp(condition, judged.facts);
  if ('unseen' in subject) return { verdict: 'unknown', reason: `${subject.unseen} was not seen` };
  const { name, values } = subject;
  const holds = compare(condition, values, judged);
  if (holds === undefined) return { verdict: 'unknown', reason: `${name} has nothing to be compared with` };
  const state = values === undefined ? 'is not set' : `is ${values.join(',').slice(0, 200) || 'empty'}`;
  return { verdict: holds ? 'pass' : 'fail', reason: `${name} ${state}` };
}

type Subject =
  | { readonly name: string; readonly values: readonly string[] | undefined }
  | { readonly unseen: string };

function lookUp({ flag, kubelet, kubeletFlag, config }: CisCondition, facts: CisFacts): Subject {
  if (flag !== undefined) {
    const [part = '', name = ''] = flag.split('/');
    const flags = facts.parts.get(part);
    return flags
      ? { name: `${part} --${name}`, values: listOf(flags.get(name)) }
      : { unseen: `the manifest of ${part}` };
  }
  if (kubeletFlag !== undefined)
    return facts.kubeletFlags
      ? { name: `kubelet --${kubeletFlag}`, values: listOf(facts.kubeletFlags.get(kubeletFlag)) }
      : { unseen: "the kubelet's command line" };
  if (kubelet !== undefined)
    return facts.kubelet === undefined
      ? { unseen: "the kubelet's configuration" }
      : { name: kubelet, values: valuesAt(facts.kubelet, kubelet) };
  const [file = '', ...field] = (config ?? '').split('/');
  const content = facts.configs.get(file);
  return content === undefined
    ? { unseen: file }
    : { name: `${field.join('/')} of ${file}`, values: valuesAt(content, field.join('/')) };
}

/** Whether a condition holds; undefined when there is nothing to compare with. A flag that is not set lacks everything. */
function compare(
  { set, is, not, has, lacks, atLeast, only, other }: CisCondition,
  values: readonly string[] | undefined,
  { facts, lists }: Judged,
): boolean | undefined {
  const given = values ?? [];
  if (set !== undefined) return (values !== undefined) === set;
  if (is !== undefined) return given.length === 1 && given[0] === is;
  if (not !== undefined) return !given.some((value) => not.includes(value));
  if (has !== undefined) return given.includes(has);
  if (lacks !== undefined) return !given.includes(lacks);
  if (atLeast !== undefined) return given.length === 1 && given[0] !== '' && Number(given[0]) >= atLeast;
  if (only !== undefined) {
    const allowed = typeof only === 'string' ? (lists[only] ?? []) : only;
    return given.length > 0 && given.every((value) => allowed.includes(value));
  }
  const [part = '', name = ''] = (other ?? '').split('/');
  const second = facts.parts.get(part)?.get(name);
  return second === undefined ? undefined : given.join(',') !== second;
}

function listOf(value: string | undefined): readonly string[] | undefined {
  return value?.split(',');
}

function judgeFiles(
  { paths, mode, owner, optional }: NonNullable<CisCheck['files']>,
  { files, unseen = new Set() }: Pick<CisFacts, 'files' | 'unseen'>,
): Outcome {
  const patterns = paths.map(patternOf);
  const found = [...files].filter(([path]) => patterns.some((pattern) => pattern.test(path)));
  const hidden = [...unseen].filter(
    (path) => patterns.some((pattern) => pattern.test(path)) || paths.some((one) => mayHold(path, one)),
  );
  if (found.length === 0 && hidden.length === 0)
    return optional
      ? { verdict: 'pass', reason: 'there is no such file' }
      : { verdict: 'unknown', reason: `${paths.join(', ')} was not seen` };
  const allowed = Number.parseInt(mode ?? '777', 8);
  const wrong = found.filter(
    ([, file]) => (file.mode & 0o777 & ~allowed) !== 0 || (owner !== undefined && file.owner !== owner),
  );
  if (wrong.length === 0 && hidden.length > 0)
    return {
      verdict: 'unknown',
      reason: `${hidden.slice(0, NAMED_FILES).join(', ')} could not be looked at`,
    };
  const tell = ([path, file]: (typeof found)[number]) =>
    `${path} is ${mode === undefined ? file.owner : (file.mode & 0o777).toString(8)}`;
  const named = (wrong.length > 0 ? wrong : found).slice(0, NAMED_FILES).map(tell).join(', ');
  return { verdict: wrong.length > 0 ? 'fail' : 'pass', reason: named };
}

/** Whether what could not be looked at may be a folder of what a pattern means. */
function mayHold(path: string, pattern: string): boolean {
  if (pattern.startsWith(`${path}/`)) return true;
  const anyDepth = pattern.indexOf('**');
  return anyDepth >= 0 && path.startsWith(pattern.slice(0, anyDepth));
}

/** "*" is any name in a folder, "**" any path below it. */
function patternOf(path: string): RegExp {
  const parts = path.split(/(\*\*|\*)/).map((part) => {
    if (part === '**') return '.*';
    return part === '*' ? '[^/]*' : part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}
