import {
  type ConfigChange,
  type ConfigEffect,
  ConfigEffectKind,
  ConfigFileAction,
  type ConfigPlan,
  type PlanConfigResponse,
} from '@plinth/api';
import { PlinthError } from '@plinth/base';
import { stringify } from 'yaml';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';

/** Columns a line of a plan may take; values that are longer stand on lines of their own. */
const WIDTH_CHARS = 100;

/** planOf is the plan in an answer. @throws api/protocol without one */
export function planOf({ plan }: PlanConfigResponse): ConfigPlan {
  if (!plan) throw new PlinthError('api/protocol', 'Cannot use the answer to PlanConfig: plan is missing');
  return plan;
}

/** planText shows every change with its effect, the files behind them, and what it comes to; fit for a terminal. */
export function planText(plan: ConfigPlan, style: Style): string {
  if (plan.changes.length === 0) return 'Nothing differs.';
  const changes = plan.changes.flatMap((change) => changeLines(change, style));
  const files = plan.files.map(({ path, action }) =>
    action === ConfigFileAction.REMOVE
      ? style.bad(`  - ${printable(path)}`)
      : style.doubtful(`  ~ ${printable(path)}`),
  );
  return [
    ...changes,
    ...(files.length === 0 ? [] : [style.faint('files'), ...files, '']),
    summary(plan, style),
  ].join('\n');
}

/** effectText says what an effect does: "reloads systemd-networkd", "needs a reboot: …". */
function effectText(effect: ConfigEffect | undefined): string {
  const unit = printable(effect?.unit ?? '').replace(/\.service$/, '');
  switch (effect?.kind) {
    case ConfigEffectKind.LIVE:
      return 'live';
    case ConfigEffectKind.RELOAD:
      return `reloads ${unit}`;
    case ConfigEffectKind.RESTART:
      return `restarts ${unit}`;
    case ConfigEffectKind.REBOOT:
      return `needs a reboot: ${printable(effect.why)}`;
    default:
      return 'unknown effect';
  }
}

function changeLines(change: ConfigChange, style: Style): string[] {
  const { path, from, to, secret, effect } = change;
  const mark = from === undefined ? style.good('+') : to === undefined ? style.bad('-') : style.doubtful('~');
  const strong = effect?.kind === ConfigEffectKind.REBOOT ? style.bad : effectStyle(effect, style);
  const head = `${mark} ${style.strong(printable(path))}  ${strong(effectText(effect))}`;
  return [head, ...valueLines(from, to, secret, style).map((line) => `    ${line}`), ''];
}

function effectStyle(effect: ConfigEffect | undefined, style: Style): (text: string) => string {
  return effect?.kind === ConfigEffectKind.RESTART ? style.doubtful : style.faint;
}

function valueLines(
  from: string | undefined,
  to: string | undefined,
  secret: boolean,
  style: Style,
): string[] {
  if (secret && from === to) return [style.faint('(secret, differs)')];
  const [before, after] = [read(from), read(to)];
  if (Array.isArray(before) && Array.isArray(after) && [...before, ...after].every(isScalar))
    return listLines(before, after, style);
  if (isScalar(before) && isScalar(after) && from !== undefined && to !== undefined) {
    const line = `${style.bad(scalar(before))} → ${style.good(scalar(after))}`;
    if (scalar(before).length + scalar(after).length + 7 <= WIDTH_CHARS) return [line];
  }
  return [...signed('-', from, before, style.bad), ...signed('+', to, after, style.good)];
}

/** Entries that stay are shown too: where in a list something changes can matter. */
function listLines(before: readonly unknown[], after: readonly unknown[], style: Style): string[] {
  const [old, fresh] = [new Set(before.map(scalar)), new Set(after.map(scalar))];
  const gone = before.map(scalar).filter((each) => !fresh.has(each));
  if (gone.length === 0 && before.length === after.length)
    return [style.bad(`- ${[...old].join(', ')}`), style.good(`+ ${[...fresh].join(', ')}`)];
  return [
    ...gone.map((each) => style.bad(`- ${each}`)),
    ...after.map(scalar).map((each) => (old.has(each) ? style.faint(`  ${each}`) : style.good(`+ ${each}`))),
  ];
}

function signed(
  sign: string,
  json: string | undefined,
  value: unknown,
  mark: (text: string) => string,
): string[] {
  if (json === undefined) return [];
  const lines = isScalar(value) ? [scalar(value)] : stringify(value, { lineWidth: 0 }).trimEnd().split('\n');
  return lines.map((line) => mark(`${sign} ${printable(line)}`));
}

function summary(plan: ConfigPlan, style: Style): string {
  const count = (holds: (change: ConfigChange) => boolean) => plan.changes.filter(holds).length;
  const added = count(({ from }) => from === undefined);
  const removed = count(({ to }) => to === undefined);
  const changed = plan.changes.length - added - removed;
  const effects = plan.effects.filter(({ kind }) => kind !== ConfigEffectKind.LIVE).map(effectText);
  const counts = `${style.good(`${added} to add`)}, ${style.doubtful(`${changed} to change`)}, ${style.bad(`${removed} to remove`)}`;
  return `${style.strong('Plan:')} ${counts}; ${effects.length === 0 ? 'all of it live' : effects.join(', ')}.`;
}

function read(json: string | undefined): unknown {
  try {
    return json === undefined ? undefined : JSON.parse(json);
  } catch {
    return json;
  }
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}

function scalar(value: unknown): string {
  return printable(typeof value === 'string' ? value : JSON.stringify(value));
}
