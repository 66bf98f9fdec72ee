import { usageError } from '../framework/usage-error.ts';

/** What a node is chosen by: its labels, and `name` and `role` as the cluster recorded them. */
export type Labels = Readonly<Record<string, string>>;

/** One condition of a selector. */
export type Requirement =
  | {
      readonly kind: 'among';
      readonly negated: boolean;
      readonly key: string;
      readonly values: readonly string[];
    }
  | { readonly kind: 'exists'; readonly negated: boolean; readonly key: string };

const KEY = /^[A-Za-z0-9]([A-Za-z0-9._/-]{0,315}[A-Za-z0-9])?$/;
const VALUE = /^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/;
const SELECTOR_LIMIT_CHARS = 4096;

/**
 * parseSelector reads a label selector as kubectl has them: "role=worker,zone in (a,b),!gpu,tier!=web".
 * @throws cli/usage
 */
export function parseSelector(text: string): readonly Requirement[] {
  if (text.length > SELECTOR_LIMIT_CHARS) throw bad(`${text.slice(0, 40)}…`, 'at most 4096 characters');
  // A comma between brackets separates values, not conditions.
  const parts = text.split(/,(?![^(]*\))/).map((part) => part.trim());
  return parts.map((part) => parseRequirement(part, text));
}

function parseRequirement(part: string, text: string): Requirement {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(part);
  if (set) {
    const [, key = '', word, list = ''] = set;
    return among(
      word === 'notin',
      key,
      list.split(',').map((value) => value.trim()),
      text,
    );
  }
  const equality = /^([^=!\s]+)\s*(==|=|!=)\s*([^=!\s]*)$/.exec(part);
  if (equality) {
    const [, key = '', sign, value = ''] = equality;
    return among(sign === '!=', key, [value], text);
  }
  const key = part.replace(/^!\s*/, '');
  if (!KEY.test(key)) throw bad(text, 'for instance "role=worker,zone in (a,b),!gpu"');
  return { kind: 'exists', negated: part.startsWith('!'), key };
}

function among(negated: boolean, key: string, values: readonly string[], text: string): Requirement {
  if (!KEY.test(key) || !values.every((value) => VALUE.test(value)))
    throw bad(text, 'keys and values of labels as Kubernetes has them');
  return { kind: 'among', negated, key, values };
}

/**
 * matchesSelector tells whether labels fulfil every condition. As in Kubernetes, a label that is absent is not equal to
 * any value.
 */
export function matchesSelector(requirements: readonly Requirement[], labels: Labels): boolean {
  return requirements.every((one) => matches(one, Object.hasOwn(labels, one.key), labels[one.key] ?? ''));
}

function matches(one: Requirement, has: boolean, value: string): boolean {
  const fulfilled = one.kind === 'exists' ? has : has && one.values.includes(value);
  return fulfilled !== one.negated;
}

function bad(text: string, expected: string) {
  return usageError(`value of --selector is "${text}", expected ${expected}`);
}
