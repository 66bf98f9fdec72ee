import { asOfOption } from '../advisor/as-of.ts';
import { defineCommand } from '../framework/command.ts';
import { choice, flag, text } from '../framework/options.ts';

export const adviseCommand = defineCommand({
  path: ['advise'],
  summary: 'Tell which node OS fits, why, why not, and what would change that',
  details: ['Without answers it asks, and only what can still change the result.'],
  extraFormats: ['wide', 'name'],
  examples: [
    { run: 'plinth advise', what: 'asks on the terminal' },
    { run: 'plinth advise --platform aks --spread one', what: 'without asking' },
    { run: 'plinth advise --answers a.yaml --report r.html', what: 'a page to pass on' },
  ],
  options: {
    spread: choice(['one', 'several'], 'One platform, or several'),
    compliance: choice(['ordinary', 'strict'], 'How strict compliance is'),
    operator: choice(['platform-vendor', 'community', 'any'], 'Who stands behind it'),
    platform: text('LIST', 'aks, eks, on-premises, …'),
    answer: text('LIST', 'More answers: gpu=amd,fips=required'),
    answers: text('FILE', 'Answers as YAML or JSON'),
    questions: flag('List questions and choices'),
    asOf: asOfOption,
    report: text('FILE', 'A .md, .html, .json, .svg or .mmd'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { runAdvise } = await import('../advisor/run-advise.ts');
    return runAdvise(options, context);
  },
});
