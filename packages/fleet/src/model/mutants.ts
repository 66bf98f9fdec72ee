import { UPDATE_TAINT, type Write } from '../decide/decision.ts';
import type { LedgerStatus } from '../objects/index.ts';
import type { FakeApiServer } from '../testing/fake-api-server.ts';
import type { StoredLedger } from '../view/view.ts';
import type { Mutation } from './simulation.ts';

/** A design that others have, or a rule left out: the same decisions, carried out in a world that is wrong in one place. */
export interface Mutant extends Mutation {
  readonly name: string;
  readonly why: string;
}

/** Mutants that have to be caught, by the simulation and, the first three, by the model. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no-ledger',
    why: 'slots are given by what was last seen, not by compare-and-swap (system-upgrade-controller#38, rancher#25861)',
    write(server, write) {
      if (write.do !== 'ledger') return false;
      const given = entriesAt(server, write.at.resourceVersion);
      const isIn = (list: readonly Entry[], { uid, since }: Entry) =>
        list.some((each) => each.uid === uid && each.since === since);
      server.change('ledger', write.at.name, ({ status }) => ({
        status: {
          epoch: write.status.epoch,
          entries: [
            ...(status?.entries ?? []).filter(
              (entry) => isIn(write.status.entries, entry) || !isIn(given, entry),
            ),
            ...write.status.entries.filter((entry) => !isIn(given, entry)),
          ],
        },
      }));
      return true;
    },
  },
  {
    name: 'flag',
    why: 'a flag on the node says "reboot", whatever boot it is in (kured#976)',
    machinesCheckPermission: false,
  },
  {
    name: 'cordon-bit',
    why: 'spec.unschedulable is the record of our own cordon (system-upgrade-controller#341, rancher#44643)',
    write(server, write) {
      if (!isOurTaint(write)) return false;
      const node = server.objects.node.get(write.at.name);
      if (node?.resourceVersion !== write.at.resourceVersion) return false;
      const isSet = write.do === 'taint';
      const others = node.taints.filter(({ key }) => key !== UPDATE_TAINT);
      server.change('node', node.name, () => ({
        taints: isSet ? [...others, write.taint] : others,
        isUnschedulable: isSet,
      }));
      return true;
    },
  },
  {
    name: 'stale-node',
    why: 'the taint is removed from whatever the Node is by now',
    write(server, write) {
      if (!isOurTaint(write)) return false;
      const node = server.objects.node.get(write.at.name);
      if (node) server.apply({ ...write, at: node }, 0);
      return true;
    },
  },
];

/** Rarely met by chance, so it is caught by a scenario of its own. */
export const NO_FENCE: Mutant = {
  name: 'no-fence',
  why: 'a Node is changed by an intent that is over: its NodeUpdate and the Node are watched apart',
  // The fence is the one write of a NodeUpdate that changes nothing.
  write: (server, write) => write.do === 'node-update' && isFence(server, write),
};

type Entry = LedgerStatus['entries'][number];

function entriesAt(server: FakeApiServer, resourceVersion: string): readonly Entry[] {
  const change = server.history[Number(resourceVersion) - 1];
  return change?.kind === 'ledger' && change.object !== undefined
    ? ((change.object as StoredLedger).status?.entries ?? [])
    : [];
}

function isOurTaint(write: Write): write is Extract<Write, { do: 'taint' | 'untaint' }> {
  return (
    (write.do === 'taint' && write.taint.key === UPDATE_TAINT) ||
    (write.do === 'untaint' && write.key === UPDATE_TAINT)
  );
}

function isFence(
  server: FakeApiServer,
  { at, spec, status }: Extract<Write, { do: 'node-update' }>,
): boolean {
  if (spec !== undefined) return false;
  const version = server.history[Number(at.resourceVersion) - 1];
  const object = version?.kind === 'nodeUpdate' ? version.object : undefined;
  return (
    object !== undefined && 'status' in object && JSON.stringify(object.status) === JSON.stringify(status)
  );
}
