import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PlinthError } from '@plinth/base';
import type { ZodType } from 'zod';
import { dataFolder, readData } from '../facts/load.ts';
import { agentsSchema, labelsSchema, programsSchema, rulesSchema } from './rules/knowledge.ts';
import type { CheckKnowledge } from './run-check.ts';
import { plinthTarget, readPlinthTables } from './target/plinth-target.ts';
import { type Target, targetSchema } from './target/target.ts';

const DATA = join(dataFolder, 'check');
const PLINTH = 'plinth';

/** readCheckData reads a file of data/check. @throws advisor/data-invalid, with line and column of what is wrong */
export function readCheckData<T>(name: string, schema: ZodType<T>): Promise<T> {
  return readData(join(DATA, name), schema);
}

/** checkTargets lists the systems that a check can be made for. */
export async function checkTargets(): Promise<string[]> {
  const files = await readdir(join(DATA, 'targets'));
  return [PLINTH, ...files.filter((name) => name.endsWith('.yaml')).map((name) => name.slice(0, -5))].sort();
}

/**
 * loadKnowledge reads rules, known agents, and what is known of a target; for Plinth that comes from what it is built of.
 * @param osDir the folder os/ of the repository
 * @param today the day on which os/ is read, "2026-11-22"
 * @throws check/unknown-target, advisor/data-invalid
 */
export async function loadKnowledge(targetId: string, osDir: string, today: string): Promise<CheckKnowledge> {
  const targets = await checkTargets();
  if (!targets.includes(targetId))
    throw new PlinthError(
      'check/unknown-target',
      `Cannot check for a move to "${targetId}": no facts of it, expected one of ${targets.join(', ')}`,
    );
  const [{ rules }, { agents }, { labels }, { programs }] = await Promise.all([
    readCheckData('rules.yaml', rulesSchema),
    readCheckData('agents.yaml', agentsSchema),
    readCheckData('node-labels.yaml', labelsSchema),
    readCheckData('programs.yaml', programsSchema),
  ]);
  const shippedBy = new Map(Object.entries(programs));
  const target: Target =
    targetId === PLINTH
      ? plinthTarget(await readPlinthTables(osDir, DATA, shippedBy), today)
      : await readCheckData(`targets/${targetId}.yaml`, targetSchema);
  return {
    target,
    agents,
    labels,
    programs: shippedBy,
    rules: new Map(rules.map((rule) => [rule.id, rule])),
  };
}
