import { RUNS } from './check.ts';
import { explore } from './explore.ts';
const ONE = RUNS[2].bounds;
for (const [name, bounds, asksEnd] of [
  ['2n1l K', { ...ONE, isKubernetes: true }, true],
  ['1n2l K', { ...ONE, nodes: 1, leaders: 2, isKubernetes: true }, true],
] as const) {
  const f = explore(bounds, { limit: 1_500_000, asksEnd });
  console.log(name, f.states, f.steps, f.depth, f.isCut, f.stuck, f.violation?.rule, f.violation?.way.join('\n'));
}
