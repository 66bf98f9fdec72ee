import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const machineCodes = {
  'machine/busy': {
    meaning: 'The node is at another act that must end first.',
    cause: 'A change of Kubernetes, a config on trial, or a reboot, shutdown or reset is under way.',
    fix: 'Wait until the act named in the message has ended, then call again.',
  },
  'machine/quorum-at-risk': {
    meaning: 'Without this node etcd would have no quorum, or nobody could tell.',
    cause: 'Another control plane is away already, or the cluster has only this one.',
    fix: "Bring the other control planes back first, or give the node's name as the override.",
    exitCode: exitCodes.forbidden,
  },
  'machine/still-member': {
    meaning: 'A node that belongs to a cluster is not reset.',
    cause: 'Its cluster would go on to count with it, and etcd with its member.',
    fix: 'Let it leave with "plinth cluster leave" first, or give the node\'s name as the override.',
    exitCode: exitCodes.forbidden,
  },
  'machine/not-confirmed': {
    meaning: 'The data of the node is not wiped without its name, typed by a person.',
    cause: "The confirmation is missing, or it is another node's name.",
    fix: 'Make sure that you mean this node, then confirm with its name.',
    exitCode: exitCodes.usage,
  },
  'machine/bad-request': {
    meaning: 'The act on the machine was asked for with a value that is not accepted.',
    cause: 'A reason that is too long, or a time limit out of range.',
    fix: 'Correct the value that the message names.',
    exitCode: exitCodes.usage,
  },
  'machine/authorization-stale': {
    meaning: 'The start was permitted for another boot, or for another system, than it would be.',
    cause: 'The node rebooted or was given another version since; or a request was sent twice.',
    fix: 'Nothing: who drives the node looks at it anew and permits the next start, if one is due.',
    exitCode: exitCodes.forbidden,
  },
  'machine/authorization-late': {
    meaning: 'The permission for the start had ended when it was used.',
    cause: 'The request was held up, or the clocks of the node and of who drives it differ.',
    fix: 'Compare the clocks ("plinth get time"); who drives the node permits the start anew.',
    exitCode: exitCodes.forbidden,
  },
  'machine/not-a-service': {
    meaning: 'The service is none of those that may be restarted.',
    cause: 'A spelling mistake, or a service whose restart would take the system down.',
    fix: 'Name one of the services in the message.',
    exitCode: exitCodes.usage,
  },
  'machine/not-drainable': {
    meaning: 'Pods cannot be moved away from this node.',
    cause: 'It belongs to no cluster, or it would forget to take pods again.',
    fix: 'Leave --drain out.',
  },
  'machine/drain-failed': {
    meaning: 'Pods were still on the node when the time for them was over; nothing was ended.',
    cause:
      'A disruption budget allows no pod to go, a pod ends slowly, or no controller would start it elsewhere.',
    fix: 'Look at the pods that the message names, or give them more time.',
  },
  'machine/reset-unsupported': {
    meaning: 'The node cannot be reset.',
    cause: 'The firmware keeps no variables, or refused the one that asks the next start for a new /var.',
    fix: 'Install the node anew.',
  },
  'machine/reset-undone': {
    meaning: 'A reset was asked for and the node came back with its old /var.',
    cause: 'systemd-repart failed in the initrd, or the firmware lost its variable.',
    fix: 'Read the journal of systemd-repart.service of this boot, then call again.',
  },
  'machine/act-failed': {
    meaning: 'The system did not do what it was asked to do.',
    cause: 'The service manager refused, or a service did not let the system end.',
    fix: 'Read the message and the journal of the node, then call again.',
  },
  'machine/state-unreadable': {
    meaning: 'plinthd cannot read what it stored about reboots.',
    cause: 'A damaged file below /var/lib/plinth/machine.',
    fix: 'It was set aside; the next act writes it anew.',
  },
} as const satisfies CodeTable;
