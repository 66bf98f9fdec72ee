import { asOfOption } from '../advisor/as-of.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, maybeInteger, text } from '../framework/options.ts';

export const migratePlanCommand = defineCommand({
  path: ['migrate', 'plan'],
  summary: 'Plan the move of a node pool to another OS; nothing is changed',
  details: ['FILE: JSON or YAML of az aks show, aws eks describe-nodegroup, gcloud, kubectl.'],
  examples: [
    { run: 'plinth migrate plan --to azure-container-linux --describe aks.json', what: 'from a file' },
    { run: 'kubectl get no,pdb -A -o json | plinth migrate plan --to plinth --describe -', what: 'live' },
  ],
  options: {
    from: text('SYSTEM', 'What the pool runs, if no file says so'),
    to: text('SYSTEM', 'What it is to run; see "plinth advisor facts"'),
    describe: text('FILE', 'What az, aws, gcloud or kubectl say; "-" is stdin'),
    pool: text('NAME', 'Which pool of the file'),
    platform: text('NAME', 'Where it runs, if no file says so'),
    nodes: maybeInteger('COUNT', { min: 1, max: 100_000 }, 'How many nodes it has'),
    facts: text('LIST', 'More about it: cli=2.86.0,tested=yes'),
    drain: maybeInteger('MINUTES', { min: 0, max: 1440 }, 'What draining a node takes'),
    asOf: asOfOption,
    report: text('FILE', 'Write .md, .html or .json'),
    exitCode: flag('End with 3 unless nothing blocks it'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { runMigratePlan } = await import('../advisor/run-migrate-plan.ts');
    return runMigratePlan(options, context);
  },
});
