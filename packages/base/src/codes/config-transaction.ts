import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const configTransactionCodes = {
  'config/busy': {
    meaning: 'A change of the machine config is under way on this node.',
    cause: 'A revision is on trial, has yet to reach health, or is being brought about.',
    fix: 'Look at it with "plinth config history"; confirm it, roll it back, or wait for its end.',
  },
  'config/already-given': {
    meaning: 'A node in maintenance takes one config, and has one.',
    cause: 'Somebody else gave it a config at the same time, or its cloud did.',
    fix: 'Look at the console of the node, which says who gave it; reset the node if it was not you.',
    exitCode: exitCodes.forbidden,
  },
  'config/not-in-trial': {
    meaning: 'The revision is not on trial, so there is nothing to confirm or to take back.',
    cause: 'Its time ran out and the node went back, somebody confirmed it before, or it was mistyped.',
    fix: 'Look at "plinth config history", and apply the config again if it was taken back.',
  },
  'config/not-confirmed': {
    meaning: 'The config took effect, but it was not confirmed; the node goes back by itself.',
    cause: 'The node cannot be reached any more the way it was reached before the change.',
    fix: 'Wait until the node is back, mend the config, then apply it again. For a change of its address use --no-confirm and confirm over the new one.',
  },
  'config/reverted': {
    meaning: 'The node took the config back.',
    cause:
      'It could not be brought about, did not reach health, or its time ran out; the message says which.',
    fix: 'Mend what the message names, then apply it again.',
  },
  'config/needs-reboot': {
    meaning: 'The change takes effect at the next boot only, so it cannot be applied at once.',
    cause: 'The plan has a change with the effect "reboot".',
    fix: 'Apply it with --mode staged, then reboot the node when it suits.',
    exitCode: exitCodes.usage,
  },
  'config/name-fixed': {
    meaning: 'The config gives another name to a node that is a member of a Kubernetes cluster.',
    cause: 'The name is what the cluster knows the node by: in its certificates, in etcd and as Node object.',
    fix: 'Keep the name in the config, or let the node leave with "plinth cluster leave" first.',
    exitCode: exitCodes.usage,
  },
  'config/plan-stale': {
    meaning: 'The plan was made for another config than the one in effect.',
    cause: 'Somebody changed the config between plan and apply.',
    fix: 'Make the plan again and look at it.',
  },
  'config/not-yours': {
    meaning: 'The role of the caller may change the machine config, but not this part of it.',
    cause:
      'Who may do what hangs on it: ApiAccess, BootstrapContainer, Machine, OperationsSession, and labels in Kubelet are for admins.',
    fix: 'Leave it out of the documents, or let an admin apply it with "plinth apply".',
    exitCode: exitCodes.forbidden,
  },
  'config/unknown-revision': {
    meaning: 'The node does not remember this revision.',
    cause: 'A mistyped number, or a revision older than the last twenty.',
    fix: 'Choose one of "plinth config history".',
    exitCode: exitCodes.usage,
  },
  'config/no-earlier': {
    meaning: 'There is no earlier config to go back to.',
    cause: 'The one in effect is the only one that has ever proven itself on this node.',
    fix: 'Apply the config you want instead.',
  },
  'config/unreadable': {
    meaning: 'A stored config cannot be used any more.',
    cause: 'The file system of /var was damaged, or the text is from a release that knew other fields.',
    fix: 'Apply the config again from your own copy.',
  },
  'config/state-lost': {
    meaning: 'The node cannot store a config, so it could not go back by itself.',
    cause: '/var is not on a disk or cannot be written.',
    fix: 'Mend /var, then apply again.',
  },
} as const satisfies CodeTable;
