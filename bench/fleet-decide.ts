import { decidePolicy } from '../packages/fleet/src/decide/policy.ts';
import { ScriptedFleet } from '../packages/fleet/src/testing/scripted-fleet.ts';

/**
 * How long the operator thinks: decidePolicy on fleets of many nodes, in the middle of a rollout (asked: less than 50 ms for
 * 5,000 nodes, as the event loop stands still for so long). Prints the median and the worst of the looks.
 * Usage: node bench/fleet-decide.ts [--nodes N]
 */
const asked = Number(process.argv[process.argv.indexOf('--nodes') + 1]) || 0;
const LOOKS = 30;
const MIDDLE = 0.3;

for (const count of asked > 0 ? [asked] : [200, 1000, 5000]) {
  const fleet = new ScriptedFleet();
  for (let index = 0; index < count; index += 1)
    fleet.addNode({
      name: `node-${index}`,
      labels: {
        'topology.kubernetes.io/zone': `zone-${index % 3}`,
        'node.kubernetes.io/instance-type': `type-${index % 5}`,
      },
    });
  fleet.addRelease('2');
  fleet.addWindow('nights', {
    kind: 'Allow',
    schedule: '0 0 * * *',
    duration: '22h',
    timeZone: 'Europe/Berlin',
  });
  fleet.addWindow('freeze', { kind: 'Deny', schedule: '0 0 24 12 *', duration: '72h' });
  fleet.addPolicy('workers', {
    release: '2',
    windows: ['nights', 'freeze'],
    pace: { mode: 'Fastest' },
    failureBudget: {},
  });
  fleet.until(() => (fleet.rollout('2')?.status?.counts['Done'] ?? 0) >= count * MIDDLE, {
    step: 300,
    hours: 96,
  });
  const times: number[] = [];
  for (let look = 0; look < LOOKS; look += 1) {
    fleet.nowMs += 1000;
    const view = fleet.view();
    const startMs = performance.now();
    const { writes } = decidePolicy(view, 'workers');
    times.push(performance.now() - startMs);
    if (writes.length > count) throw new Error('more writes than nodes');
  }
  times.sort((a, b) => a - b);
  const status = fleet.rollout('2')?.status;
  const figure = (ms: number | undefined) => `${(ms ?? Number.NaN).toFixed(1)} ms`;
  console.log(
    `${count} nodes: median ${figure(times[LOOKS / 2])}, worst ${figure(times.at(-1))} (${status?.phase}, ${status?.counts['Done']} done, ${status?.concurrency} at once by ${status?.bound?.name})`,
  );
}
