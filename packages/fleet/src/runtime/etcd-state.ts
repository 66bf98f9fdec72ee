import { Verdict } from '@plinth/api';
import { messageOf } from '@plinth/base';
import type { EtcdView, NodeView } from '../view/view.ts';
import type { NodeLinks } from './drive/node-links.ts';
import type { Wait } from './queue/wait.ts';

export interface EtcdStateParts {
  readonly links: NodeLinks;
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** Whether any policy brings control planes to releases. */
  isNeeded(): boolean;
  readonly wait: Wait;
  changed(): void;
  say(text: string): void;
}

const EVERY_MS = 20_000;
export const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';

/** openEtcdState asks a control plane now and then how etcd is. When none can tell, nothing is known, and no control plane is touched. */
export function openEtcdState({ links, nodes, isNeeded, wait, changed, say }: EtcdStateParts) {
  let view: EtcdView | undefined;
  async function ask(): Promise<EtcdView | undefined> {
    let problem = 'no control plane is known';
    for (const { name, labels, isReady } of nodes.values()) {
      if (labels[CONTROL_PLANE_LABEL] === undefined || !isReady) continue;
      try {
        const client = links.to(name);
        const [{ members }, { checks }] = await Promise.all([client.etcd.members(), client.getHealth()]);
        return {
          members: members.map(({ name: node, healthy, learner, leader }) => ({
            ...{ node, isHealthy: healthy, isLearner: learner, isLeader: leader },
          })),
          // A node that does not say that there is none is taken to have one.
          hasAlarm: !checks.some(({ id, verdict }) => id === 'etcd-alarms' && verdict === Verdict.PASS),
        };
      } catch (reason) {
        problem = messageOf(reason);
      }
    }
    say(`etcd: ${problem}`);
    return undefined;
  }
  return {
    view: () => view,
    async run(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        const before = JSON.stringify(view);
        view = isNeeded() ? await ask() : undefined;
        if (JSON.stringify(view) !== before) changed();
        await wait(EVERY_MS, signal);
      }
    },
  };
}
