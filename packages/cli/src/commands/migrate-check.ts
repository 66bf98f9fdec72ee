import { asOfOption } from '../advisor/as-of.ts';
import { defineCommand } from '../framework/command.ts';
import { flag, maybeSeveral, text, textOr } from '../framework/options.ts';

export const migrateCheckCommand = defineCommand({
  path: ['migrate', 'check'],
  summary: 'Find workloads that break on another node OS',
  details: [
    'Reads manifests: files, folders, "-" for what helm or kubectl print; or --live.',
    'Ends with 5 when not all was read. Rules: docs/reference/workload-rules.md.',
  ],
  extraFormats: ['wide', 'name', 'sarif'],
  examples: [
    { run: 'helm template web ./chart | plinth migrate check -', what: 'what helm prints' },
    { run: 'plinth migrate check --live --observed all', what: 'and what did break' },
  ],
  options: {
    to: textOr('SYSTEM', 'plinth', 'System to move to'),
    live: flag('Check the cluster of the kubeconfig'),
    kubeconfig: text('FILE', 'Another kubeconfig than $KUBECONFIG'),
    kubeContext: text('NAME', 'Another context than its current one'),
    observed: text('NODES', 'Join what Plinth nodes refused: names, or "all"'),
    waivers: text('FILE', 'Findings that are accepted, until when and why'),
    simulate: flag('Rank what to fix first by nodes and pods'),
    report: text('FILES', 'Write .md, .html, .sarif, .xml (JUnit) or .json'),
    exitCode: flag('End with 3 when something blocks'),
    asOf: asOfOption,
  },
  args: { sources: maybeSeveral('SOURCE', 'File, folder, or -') },
  run: async ({ args, options }, context) => {
    const { checkWorkloads } = await import('../migrate/check-workloads.ts');
    return checkWorkloads(args.sources, options, context);
  },
});
