import type { JudgedNode, NodesReport, RunningRelease } from '@plinth/advisory';
import { type Block, plainText, table } from '../output/blocks.ts';
import { showReport } from './show-report.ts';

/** showNodes draws what is open on nodes: each release with its findings, then every node, then what is not known. */
export function showNodes(
  report: NodesReport,
  { all, fold }: { readonly all: boolean; readonly fold: boolean },
): Block[] {
  const now = new Date(report.judgedAt);
  return [
    ...report.releases.flatMap((release): Block[] => [
      plainText(releaseTitle(release)),
      // What to do next is for one release in a folder of its own; here it would not find the hot layer.
      ...showReport(release.report, { all, fold, now }).filter(({ kind }) => kind !== 'next'),
    ]),
    nodesTable(report),
    ...(report.nodes.every(({ gaps }) => gaps.length === 0) && report.gaps.length === 0
      ? []
      : [plainText(gapsText(report))]),
  ];
}

function releaseTitle({ name, rootHash, hotLayerSerial, nodes, papers }: RunningRelease): string {
  const layer = hotLayerSerial === undefined ? '' : ` with hot layer ${hotLayerSerial}`;
  return [
    `${name}${layer}, on ${nodes.length === 1 ? 'node' : `${nodes.length} nodes:`} ${shortList(nodes)}`,
    `  by root hash ${rootHash.slice(0, 16)}…, papers in ${papers}`,
  ].join('\n');
}

const NAMES_SHOWN = 8;

function shortList(names: readonly string[]): string {
  const rest = names.length - NAMES_SHOWN;
  return `${names.slice(0, NAMES_SHOWN).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function nodesTable({ nodes, releases }: NodesReport): Block {
  const judged = releases.flatMap(({ nodes: names, report: { counts } }) =>
    names.map((name) => ({ name, counts })),
  );
  // Of a node whose image was not judged, no number is all.
  const count = ({ node, release }: JudgedNode, what: 'open' | 'unknown'): string =>
    release === undefined
      ? '?'
      : String(judged.reduce((sum, { name, counts }) => sum + (name === node ? counts[what] : 0), 0));
  return table(
    [
      { header: 'NODE', value: ({ node }: JudgedNode) => node },
      {
        header: 'RUNS',
        value: ({ release }) => release ?? 'unknown',
        mark: ({ release }, style) => (release === undefined ? style.doubtful : (text) => text),
      },
      {
        header: 'HOT LAYER',
        value: ({ hotLayer }) => (typeof hotLayer === 'string' ? hotLayer : String(hotLayer.serial)),
      },
      {
        header: 'KUBERNETES',
        value: ({ kubernetes }) => (kubernetes === 'unknown' ? 'unknown' : kubernetes.join(', ') || 'none'),
      },
      { header: 'OPEN', value: (node) => count(node, 'open'), align: 'right' },
      { header: 'UNKNOWN', value: (node) => count(node, 'unknown'), align: 'right' },
      {
        header: 'INTEGRITY',
        value: ({ integrity }) => integrity.verdict,
        mark: ({ integrity: { verdict } }, style) =>
          verdict === 'pass' ? style.good : verdict === 'fail' ? style.bad : style.doubtful,
      },
      { header: 'ROOT-HASH', value: ({ rootHash }) => rootHash, wide: true },
      { header: 'OLD CODE', value: ({ oldCode }) => oldCode, wide: true },
    ],
    nodes,
    'No node answered.',
  );
}

/** The same said of many nodes is one line. */
function gapsText({ nodes, gaps }: NodesReport): string {
  const said = nodes.flatMap(({ node, gaps: each }) => each.map((gap) => ({ node, gap })));
  const lines = [...Map.groupBy(said, ({ gap }) => gap)].map(
    ([gap, group]) => `  ${shortList(group.map(({ node }) => node))}: ${gap}`,
  );
  return ['Not known of nodes:', ...lines, ...gaps.map((gap) => `  ${gap}`)].join('\n');
}
