import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

/** Updates of a node as it is asked for them: activating, proving, falling back. Staging has its own, see update-stage.ts. */
export const updateCodes = {
  'update/no-policy': {
    meaning: 'The node does not know where versions come from.',
    cause: 'Its machine config has no document of kind UpdatePolicy.',
    fix: 'Add one with a source to the machine config: "plinth config explain updatePolicy".',
  },
  'update/never-checked': {
    meaning: 'The node has not asked its repository yet, so it cannot tell what comes next.',
    cause:
      'It started this version minutes ago, its channel was changed, or its /var was made anew; it asks by itself soon.',
    fix: 'Run "plinth update check".',
  },
  'update/nothing-staged': {
    meaning: 'There is no staged version to activate.',
    cause: 'Nothing was staged, it was taken back, or staging has not ended.',
    fix: 'Run "plinth update stage" first.',
  },
  'update/other-staged': {
    meaning: 'Another version is staged than the one that was named.',
    cause: 'Somebody staged a version in between.',
    fix: 'Look at "plinth get update", then name the staged version or stage the one you mean.',
  },
  'update/act-running': {
    meaning: 'The node is at another act that an update must not cut off.',
    cause: 'A change of Kubernetes, a config on trial, a reboot, or staging is under way.',
    fix: 'Wait until the act named in the message has ended, then call again.',
  },
  'update/on-trial': {
    meaning: 'The running version has yet to prove itself.',
    cause: 'It was booted a moment ago and its health contract does not hold yet.',
    fix: 'Wait until "plinth get update" says committed; when it does not get there the node goes back by itself.',
  },
  'update/kubernetes-skew': {
    meaning: 'The staged version does not run the Kubernetes of this node.',
    cause:
      'Its release says for which minor versions of Kubernetes it was made, and that of the merged layer is none of them.',
    fix: 'Bring Kubernetes to a version that the message names, then activate.',
  },
  'update/uki-not-trusted': {
    meaning:
      'The firmware of this machine would not start the version, and the node would stand still there.',
    cause:
      'It is signed by a key that this machine does not have, its signature is not over its bytes, or the keys of the firmware cannot be read.',
    fix: 'Enrol the new boot certificate in the firmware first, or build the release with a key that this machine has.',
  },
  'update/no-rollback': {
    meaning: 'There is no version to go back to.',
    cause: 'The other slot is empty, holds a staged version, or one that never proved itself on this node.',
    fix: 'Stage and activate the version you want: "plinth upgrade --to VERSION".',
  },
  'update/not-blocked': {
    meaning: 'The version is not blocked on this node.',
    cause: 'A spelling mistake, or it was unblocked already.',
    fix: 'Look at "plinth get update".',
    exitCode: exitCodes.usage,
  },
  'update/blocked-here': {
    meaning: 'The node does not take this version by itself.',
    cause: 'It did not prove itself on this node, or somebody rolled back from it.',
    fix: 'Read why with "plinth get update"; name the version with "plinth upgrade --to" to try it all the same.',
  },
  'update/fell-back': {
    meaning: 'A version did not prove itself on this node; the node runs the one before.',
    cause: 'Its boots hung or died, or its health contract did not hold in time.',
    fix: 'Read the reason and the journal of the failed boot with "plinth get update --journal".',
  },
  'update/rolled-back': {
    meaning: 'Somebody went back from this version on this node.',
    cause: '"plinth rollback" was called.',
    fix: 'Name the version with "plinth upgrade --to" to take it again.',
  },
  'update/contract-broken': {
    meaning: 'A version on trial was not healthy within its deadline.',
    cause: 'A check of its health contract did not pass.',
    fix: 'Look at the check that the message names.',
  },
  'update/boot-died': {
    meaning: 'A version on trial ended before it could be looked at.',
    cause: 'Its kernel, initrd or an early service crashed or hung.',
    fix: 'Read the journal of the failed boot, and crash records with "plinth get boot".',
  },
  'update/soft-reboot-failed': {
    meaning: 'The version could not be started by a soft-reboot; the firmware starts it instead.',
    cause: 'Its root could not be opened or laid out beside the one that runs.',
    fix: 'Nothing: the version is tried by a full reboot. The message and the journal of plinth-nextroot.service say what stood in the way.',
  },
  'update/soft-started': {
    meaning: 'The running version was gone to by a soft-reboot, and no firmware has started it yet.',
    cause: 'Its kernel image has not proven that it boots, so the version before has to stay on the disk.',
    fix: 'Reboot the node once: "plinth reboot --drain". It is kept when it is healthy then too.',
  },
  'update/step-failed': {
    meaning: 'A change of the boot entries failed.',
    cause: 'The EFI system partition could not be written.',
    fix: 'Read the message; what booted before still boots. Call again.',
  },
} as const satisfies CodeTable;
