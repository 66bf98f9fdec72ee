import { resolve } from 'node:path';
import { defineCommand } from '../framework/command.ts';
import { flag, integer, text } from '../framework/options.ts';
import { usageError } from '../framework/usage-error.ts';
import { plainText, table } from '../output/blocks.ts';

export const kubernetesUpgradeCommand = defineCommand({
  path: ['kubernetes', 'upgrade'],
  summary: 'Bring all nodes of a cluster to another Kubernetes version',
  details: [
    'Control planes one by one, then workers; no reboot. A node that does not become',
    'healthy goes back by itself. Run again after a failure or Ctrl-C, it goes on.',
  ],
  examples: [
    { run: 'plinth kubernetes upgrade --to 1.37.1 --dry-run', what: 'only the plan' },
    { run: 'plinth kubernetes upgrade --to 1.37', what: 'to the newest 1.37 a node has a layer of' },
  ],
  options: {
    to: text('VERSION', 'The version all nodes shall run'),
    dryRun: flag('Show the plan and change nothing'),
    nodes: text('LIST', 'Contexts of all nodes; default: those of the local cluster'),
    layer: text('FILE', 'Layer for nodes that do not have it'),
    timeout: integer('SECONDS', { min: 10, max: 7200, fallback: 1800 }, 'Bound for each node'),
  },
  args: {},
  run: async ({ options }, context) => {
    const { carryOut, makeUpgradePlan, stepTitle } = await import('../flows/upgrade-cluster.ts');
    const { clusterNodes } = await import('../cluster/cluster-contexts.ts');
    if (options.to === undefined) throw usageError('no version was named, expected --to VERSION');
    const wanted = {
      nodes: await clusterNodes(options.nodes, context),
      target: options.to,
      layer: options.layer === undefined ? undefined : resolve(options.layer),
      callTimeoutMs: 60_000,
      actTimeoutMs: options.timeout * 1000,
    };
    const { target, steps } = await makeUpgradePlan(wanted, context);
    const upgrade = { ...wanted, target };
    const rows = steps.map((step, index) => ({
      number: index + 1,
      step: step.kind,
      node: step.name,
      what: stepTitle(step, target),
    }));
    const plan = table(
      [
        { header: 'STEP', value: (row) => String(row.number), align: 'right' },
        { header: 'WHAT', value: (row) => row.what },
      ],
      rows,
      `All ${upgrade.nodes.length} nodes run Kubernetes ${target} already.`,
    );
    if (!options.dryRun) {
      for (const { number, what } of rows) context.say(`${number}. ${what}`);
      await carryOut(steps, upgrade, context);
    }
    const done = steps.length > 0 && !options.dryRun;
    return {
      data: { target, dryRun: options.dryRun, steps: rows },
      view: [plan, ...(done ? [plainText(`All nodes run Kubernetes ${target}.`)] : [])],
    };
  },
});
