import { asOfOption } from '../advisor/as-of.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, optional } from '../framework/options.ts';

export const advisorFactsCommand = defineCommand({
  path: ['advisor', 'facts'],
  summary: 'Show the facts the advice rests on, with sources, dates and contradictions',
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth advisor facts', what: 'systems and platforms, and how old their facts are' },
    { run: 'plinth advisor facts flatcar --as-of 2025-11-20', what: 'what held of one then' },
    { run: 'plinth advisor facts --stale', what: 'facts read in texts older than 180 days' },
  ],
  options: { stale: flag('Only facts that must be read again'), asOf: asOfOption },
  args: { system: optional('SYSTEM', 'A system or platform, e.g. talos or aks') },
  run: async ({ options, args }, { format }) => {
    const { showFacts } = await import('../advisor/show-facts.ts');
    return showFacts(args.system, options, format === 'wide');
  },
});
