import { healthRules } from '@plinth/agent';
import { markdownTable, page } from './page.ts';

const scopes = {
  node: ['Every node', 'These apply to every node.'],
  member: ['Members of a cluster', 'These apply to a node that belongs to a cluster, beside those above.'],
  'control-plane': ['Control planes', 'These apply to a control plane, beside those above.'],
} as const;

/** healthPage documents every rule that a node judges its own health by. */
export function healthPage(): string {
  const sections = Object.entries(scopes).flatMap(([scope, [title, text]]) => {
    const rules = healthRules.filter((one) => one.scope === scope).map(({ rule }) => rule);
    const rows = rules.map(({ id, critical, expected, source, cause, fix }) => [
      `\`${id}\``,
      critical ? 'yes' : 'no',
      ...[expected, source, cause, fix],
    ]);
    return [
      `## ${title}`,
      text,
      markdownTable(['Check', 'Critical', 'Expected', 'Seen in', 'Usual cause', 'What to do'], rows),
    ];
  });
  return page(
    'Health checks of a node',
    'packages/agent/src/health',
    'A node answers `plinth get health` from these checks. Each passes, fails, or is unknown when it could not be observed.',
    'A node is healthy when every check passes, unhealthy when a critical one fails, and degraded otherwise: what was not seen is never healthy. plinthd adds checks of itself: its machine config, identity and host name, and the corruption that the kernel saw in the verified root.',
    ...sections,
  );
}
