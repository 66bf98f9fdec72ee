import { momentOf, nodePhase } from '../../objects/index.ts';
import type { Decision } from '../decision.ts';
import { decideNode } from './decide-node.ts';
import { NOW_MS, PERMISSION, type Sample, SLOT, sampleView, TAINT } from './sample-view.testing.ts';

export const decide = (sample: Sample): Decision => decideNode(sampleView(sample), 'n1');
export const HOUR_AGO = momentOf(NOW_MS - 3_600_000);

/** What a decision does, in short: "taint", "→Draining", "call stage", … */
export function gist({ writes, calls }: Decision): string[] {
  const done = writes.map((write) => {
    if (write.do === 'node-update') {
      const { phase } = write.status?.progress ?? {};
      return phase === undefined ? 'spec' : `→${phase}`;
    }
    return write.do === 'evict' || write.do === 'delete-pod' ? `${write.do} ${write.pod}` : write.do;
  });
  return [...done.filter((each) => each !== 'event'), ...calls.map(({ call }) => `call ${call.call}`)];
}

export function progressOf({ writes }: Decision) {
  return writes.findLast((write) => write.do === 'node-update')?.status?.progress;
}

export function specOf({ writes }: Decision) {
  return writes.findLast((write) => write.do === 'node-update')?.spec;
}

export const inSlot = (phase: string, more: Sample = {}): Sample => ({
  slot: SLOT,
  ...more,
  progress: { phase: nodePhase.parse(phase), admittedAt: SLOT, ...more.progress },
});
export const tainted = (phase: string, more: Sample = {}): Sample =>
  inSlot(phase, { ...more, node: { taints: [TAINT], ...more.node } });
export const rebooted = (phase: string, report: Sample['report'], more: Sample = {}): Sample =>
  tainted(phase, {
    ...more,
    spec: { authorization: PERMISSION, ...more.spec },
    report: { bootId: 'two', ...report },
    node: { taints: [TAINT], bootId: 'two', ...more.node },
    progress: { since: HOUR_AGO, starts: 1, ...more.progress },
  });
