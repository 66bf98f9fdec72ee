import { resolve } from 'node:path';
import type { AdmissionRule, Enrolment, Judgement } from '@plinth/attest';
import { exitCodes, type PlinthError } from '@plinth/base';
import { readReferences } from '@plinth/image';
import { onNodes } from '../client/many-nodes.ts';
import { failures } from '../client/merge-results.ts';
import { type ClusterOptions, withCluster } from '../fleet/cluster-options.ts';
import { openAnchors } from '../flows/trust-anchors.ts';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { facts, table } from '../output/blocks.ts';
import { attestNode } from './attest-node.ts';
import { setAdmission } from './cluster-admission.ts';
import { keepAttesting } from './keep-attesting.ts';
import { listTaintedNodes, setTaint, TAINT } from './node-taints.ts';
import { type NodeVerdict, planTaints, type TaintPlan } from './plan-taints.ts';

export interface AttestClusterOptions extends ClusterOptions {
  readonly context: string | undefined;
  readonly timeout: number;
  readonly releases: readonly string[];
  readonly enrol: boolean;
  readonly atMost: number;
  readonly dryRun: boolean;
  readonly trust: string | undefined;
  /** What control planes are to ask for before they give a certificate; absent: as it is. */
  readonly admission: 'off' | AdmissionRule | undefined;
  /** Pause between two rounds, minutes; absent: one round. */
  readonly every: number | undefined;
}

interface Row {
  readonly node: string;
  readonly verdict: NodeVerdict;
  readonly reasons: readonly string[];
  readonly act: 'taint' | 'untaint' | 'withheld' | '';
}

/**
 * attestCluster attests every node of a cluster and keeps new pods off those that fail; exit code 3 unless all pass.
 * @throws as readReferences; kube/…; api/… when the cluster's nodes cannot be told
 */
export async function attestCluster(
  options: AttestClusterOptions,
  context: CommandContext,
): Promise<CommandResult | undefined> {
  const { every } = options;
  if (every === undefined) return attestOnce(options, context);
  return keepAttesting(() => attestOnce(options, context), every * 60_000, context);
}

async function attestOnce(options: AttestClusterOptions, context: CommandContext): Promise<CommandResult> {
  const { signal, env, style } = context;
  const anchors = (await openAnchors(options.trust, env)) ?? { certificates: () => [] };
  const folders = options.releases.map((release) => resolve(release));
  const references = (await Promise.all(folders.map((each) => readReferences(each, anchors)))).flat();
  const judge = { references, enrol: options.enrol, replace: false, older: false, ekAuthority: undefined };
  const many = { ...options, nodes: undefined, selector: undefined, allNodes: true };
  const judged = new Map<string, Judgement>();
  const enrolments: Enrolment[] = [];
  const failed: { readonly node: string; readonly error: PlinthError }[] = [];
  await context.progress.step('Attest the nodes', async (step) => {
    for await (const one of onNodes(many, context, (node) => attestNode(node, judge, env))) {
      if (one.ok) {
        judged.set(one.node, one.value.judgement);
        enrolments.push(one.value.enrolment);
      } else failed.push(one);
      step.note(`${judged.size} answered${failed.length > 0 ? `, ${failed.length} failed` : ''}`);
    }
  });
  return withCluster(options, context, async (connection) => {
    const nodes = await listTaintedNodes(connection, signal);
    const verdicts = new Map([...judged].map(([name, { verdict }]) => [name, verdict] as const));
    const plan = planTaints(nodes, verdicts, options.atMost / 100, Date.now());
    if (!options.dryRun) {
      for (const name of plan.untaint) await setTaint(connection, name, false, signal);
      for (const name of plan.taint) await setTaint(connection, name, true, signal);
    }
    const names = [...new Set([...nodes.map(({ name }) => name), ...judged.keys()])].sort();
    const rows = names.map((node) => rowOf(node, judged.get(node), plan));
    const passes = rows.filter(({ verdict }) => verdict === 'pass').length;
    const rule = options.admission;
    const certificates =
      rule === undefined || options.dryRun
        ? undefined
        : await setAdmission(
            connection,
            { rule, references, enrolments, notPassing: rows.length - passes },
            context,
          );
    return {
      data: { dryRun: options.dryRun, nodes: rows, ...(certificates && { certificates }) },
      names,
      view: [
        nodesTable(rows),
        ...failures(failed, style),
        facts([
          ['taint', `${TAINT.key}:${TAINT.effect}${options.dryRun ? ', nothing changed' : ''}`],
          ['passed', `${passes} of ${rows.length}`],
          ...(certificates ? [['certificates', certificates.told] as const] : []),
        ]),
      ],
      exitCode: passes === rows.length ? exitCodes.ok : exitCodes.findings,
    };
  });
}

function rowOf(node: string, judgement: Judgement | undefined, plan: TaintPlan): Row {
  const act = (['taint', 'untaint', 'withheld'] as const).find((each) => plan[each].includes(node)) ?? '';
  const reasons = new Set(judgement?.findings.map(({ reason }) => reason));
  return { node, verdict: judgement?.verdict ?? 'unknown', reasons: [...reasons], act };
}

function nodesTable(rows: readonly Row[]) {
  return table(
    [
      { header: 'NODE', value: ({ node }) => node },
      {
        header: 'VERDICT',
        value: ({ verdict }) => verdict,
        mark: ({ verdict }, style) =>
          verdict === 'pass' ? style.good : verdict === 'fail' ? style.bad : style.doubtful,
      },
      { header: 'ACT', value: ({ act }) => act },
      { header: 'REASONS', value: ({ reasons }) => reasons.join(', ') },
    ],
    rows,
  );
}
