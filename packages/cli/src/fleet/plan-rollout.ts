import { PlinthError } from '@plinth/base';
import { type FleetView, previewRollout, type RolloutPreview } from '@plinth/fleet';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { type Block, facts, plainText, table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { formatDuration } from '../output/units.ts';
import { type ClusterOptions, readInstalled, withCluster } from './cluster-options.ts';
import { unreadableText } from './rollout-columns.ts';

export interface PlanRolloutOptions extends ClusterOptions {
  /** Plan for this release in place of the one the policy names. */
  readonly release: string | undefined;
  /** Show every node of the order. */
  readonly all: boolean;
}

/** So many nodes of the order are shown, unless all are asked for. */
const SHOWN_NODES = 15;

/**
 * planRollout shows what the operator would do with a policy, by its own functions on what the cluster is now; nothing is
 * written.
 * @throws fleet/unknown-policy, fleet/not-installed, kube/…
 */
export async function planRollout(
  name: string,
  options: PlanRolloutOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const { view, unreadable } = await context.progress.step('Read the cluster', () =>
    withCluster(options, context, (connection) => readInstalled(connection, context, true)),
  );
  const wanted = withRelease(view, name, options.release);
  const preview = previewRollout(wanted, name);
  const left = unreadable.length > 0 ? [plainText(unreadableText(unreadable))] : [];
  if (preview === undefined)
    return {
      data: null,
      view: [plainText(`Nothing is wanted of the nodes of ${name}: ${whyNothing(wanted, name)}`), ...left],
    };
  return {
    data: { ...preview, need: Number.isFinite(preview.need) ? preview.need : null },
    names: preview.order.map(({ node }) => node),
    view: [...planBlocks(preview, wanted, name, options.all, context.style), ...left],
  };
}

/** The view as it would be if the policy named this release. */
function withRelease(view: FleetView, name: string, release: string | undefined): FleetView {
  const policy = view.policies.get(name);
  if (policy === undefined) {
    const known = [...view.policies.keys()].join(', ') || 'none';
    throw new PlinthError(
      'fleet/unknown-policy',
      `Cannot plan for policy "${name}": it is unknown, there are ${known}`,
    );
  }
  if (release === undefined) return view;
  const asked = { ...policy, spec: { ...policy.spec, release } };
  return { ...view, policies: new Map(view.policies).set(name, asked) };
}

function whyNothing(view: FleetView, name: string): string {
  const { release = '', paused = false } = view.policies.get(name)?.spec ?? {};
  if (release === '') return 'it names no release';
  const found = view.releases.get(release);
  if (found === undefined) return `there is no PlinthRelease ${release}`;
  if (found.spec.blocked) return `${release} was recalled: ${printable(found.spec.blockedReason)}`;
  return paused ? 'it is paused' : `they run ${release}, or the rollout has ended`;
}

function planBlocks(
  preview: RolloutPreview,
  view: FleetView,
  policy: string,
  isWhole: boolean,
  style: Style,
): readonly Block[] {
  const { order, waves, bounds, blockers, windows } = preview;
  const shown = isWhole ? order : order.slice(0, SHOWN_NODES);
  const more = order.length - shown.length;
  return [
    facts(headRows(preview, view, style)),
    ...(preview.advice === '' ? [] : [plainText(printable(preview.advice))]),
    table(
      [
        { header: 'WAVE', value: ({ index }) => String(index + 1), align: 'right' },
        { header: 'NAME', value: ({ wave }) => wave.name },
        { header: 'NODES UPDATED', value: ({ updated }) => String(updated), align: 'right' },
        { header: 'OF THEM NEW', value: ({ added }) => String(added), align: 'right' },
        { header: 'THEN SOAKS', value: ({ wave }) => wave.soak, align: 'right' },
      ],
      waves.map((wave, index) => ({
        ...{ wave, index },
        // A share of few nodes can be less than the canaries were.
        updated: Math.max(...waves.slice(0, index + 1).map(({ upTo }) => upTo)),
        added: order.filter((each) => each.wave === index).length,
      })),
    ),
    plainText(['Nodes at once by each bound:', ...boundLines(bounds)].join('\n')),
    table(
      [
        { header: 'NEXT NODES', value: ({ node }) => node },
        { header: 'WAVE', value: ({ wave }) => String(wave + 1), align: 'right' },
        { header: 'DOMAIN', value: ({ domain }) => domain },
        { header: 'HARDWARE', value: ({ hardware }) => hardware },
      ],
      shown,
      'No node is left to do.',
    ),
    ...(more > 0 ? [plainText(`and ${more} more; --all shows them`)] : []),
    ...blockersBlock(blockers),
    ...windowsBlock(windows),
    ...unknownBlock(view, policy),
  ];
}

function headRows(preview: RolloutPreview, view: FleetView, style: Style): [string, string][] {
  const { need, concurrency, etaSeconds, openingsNeeded, hold } = preview;
  const untilMs = Date.parse(preview.deadline) - view.nowMs;
  const end = etaSeconds === undefined ? 'not in sight' : `in about ${formatDuration(etaSeconds * 1000)}`;
  const late = preview.isAtRisk ? style.bad(', at risk') : '';
  return [
    ['rollout', `${preview.rollout}${preview.isNew ? ', not begun yet' : ''}`],
    ['release', `${preview.release}, lane ${preview.lane}`],
    ['nodes', `${preview.remaining} of ${preview.nodes} are left to do${askedText(preview)}`],
    ['at once', `${concurrency}; the deadline needs ${countText(need)}`],
    [
      'end',
      `${end}${openingsNeeded === undefined || openingsNeeded < 2 ? '' : `, in ${openingsNeeded} windows`}`,
    ],
    ['deadline', `${untilMs < 0 ? style.bad('has passed') : `in ${formatDuration(untilMs)}`}${late}`],
    ...(hold === undefined
      ? []
      : [
          ['now', style.doubtful(printable(`nothing is begun with: ${hold.text} (${hold.code})`))] as [
            string,
            string,
          ],
        ]),
  ];
}

function askedText({ notAsked }: RolloutPreview): string {
  return notAsked === 0 ? '' : `; ${notAsked} have not said yet what they run`;
}

/** Without bound is Infinity in the operator's arithmetic. */
function countText(count: number): string {
  return Number.isFinite(count) ? String(count) : 'any';
}

/** The bound that binds comes first. */
function boundLines(bounds: RolloutPreview['bounds']): string[] {
  const width = Math.max(...bounds.map(({ name }) => name.length));
  return bounds
    .toSorted((a, b) => a.value - b.value)
    .map(({ name, value, reason }) =>
      printable(`  ${name.padEnd(width)}  ${countText(value).padStart(5)}  ${reason}`),
    );
}

/** Nodes that are held back for the same reason are one line. */
function blockersBlock(blockers: RolloutPreview['blockers']): readonly Block[] {
  if (blockers.length === 0) return [];
  const alike = Map.groupBy(blockers, ({ reason }) => `${reason.text} (${reason.code})`);
  const lines = [...alike].map(([why, those]) => {
    const names = those.slice(0, 3).map(({ node }) => node);
    const more = those.length > names.length ? ` and ${those.length - names.length} more` : '';
    return printable(`  ${names.join(', ')}${more}: ${why}`);
  });
  return [plainText(['Held back:', ...lines].join('\n'))];
}

function windowsBlock(windows: RolloutPreview['windows']): readonly Block[] {
  if (windows.length === 0) return [];
  const moment = (ms: number) => `${new Date(ms).toISOString().slice(0, 16)}Z`;
  return [
    facts(
      windows.map(({ name, next }) => [
        `window ${name}`,
        typeof next === 'string'
          ? printable(next)
          : next
              .map(({ startMs, endMs }) => `${moment(startMs)} for ${formatDuration(endMs - startMs)}`)
              .join(', '),
      ]),
    ),
  ];
}

/** What only the operator asks: a plan from outside cannot know it, and says so. */
function unknownBlock(view: FleetView, name: string): readonly Block[] {
  const { gates = [], role } = view.policies.get(name)?.spec ?? {};
  const asked = [...(role === 'ControlPlane' ? ['etcd'] : []), ...gates.map((gate) => `HealthGate ${gate}`)];
  if (asked.length === 0) return [];
  return [plainText(`Asked by the operator alone, and taken as unknown here: ${asked.join(', ')}.`)];
}
