import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const kubernetesCodes = {
  'kubernetes/spec-invalid': {
    meaning: 'The description of the cluster cannot be used.',
    cause: 'A name, network, domain or address that is not valid, or two networks that overlap.',
    fix: 'Correct the value the message names and call again.',
    exitCode: exitCodes.usage,
  },
  'kubernetes/address-unknown': {
    meaning: 'The address other nodes shall reach this node by is not clear.',
    cause: 'The node has none or more than one IPv4 address, or not the one that was named.',
    fix: 'Name one of the addresses the node has.',
    exitCode: exitCodes.usage,
  },
  'kubernetes/already-member': {
    meaning: 'The node belongs to a cluster already.',
    cause: 'It was bootstrapped or joined before.',
    fix: 'Let it leave its cluster first, or use another node.',
  },
  'kubernetes/was-member': {
    meaning: 'The node belonged to a cluster once and may not found another.',
    cause: 'It left a cluster; a second bootstrap could hide the loss of the first.',
    fix: 'Join it to a cluster, or install the node anew with an empty /var.',
  },
  'kubernetes/not-member': {
    meaning: 'The node belongs to no cluster.',
    cause: 'It was neither bootstrapped nor joined, or the act that does it has not ended.',
    fix: 'Bootstrap or join the node first.',
  },
  'kubernetes/not-control-plane': {
    meaning: 'The node is not a control plane.',
    cause: 'Only control planes can invite nodes and issue credentials.',
    fix: 'Ask a control plane of the cluster.',
  },
  'kubernetes/busy': {
    meaning: 'Another act changes Kubernetes on this node.',
    cause: 'A node does one act at a time.',
    fix: 'Wait until the act is done, then call again.',
  },
  'kubernetes/act-unfinished': {
    meaning: 'An earlier act has failed and must be brought to its end first.',
    cause: 'A different method was called than the one that failed.',
    fix: 'Call the method that failed again, or let the node leave.',
  },
  'kubernetes/state-lost': {
    meaning: 'What plinthd must remember would be lost at a reboot.',
    cause: '/var is not on a disk or cannot be written.',
    fix: 'Mend /var, then call again.',
  },
  'kubernetes/state-unreadable': {
    meaning: "plinthd cannot read what it stored about the node's membership.",
    cause: 'A damaged file below /var/lib/plinth/kubernetes.',
    fix: 'Install the node anew and join it, or restore /var from a copy.',
  },
  'kubernetes/layer-missing': {
    meaning: 'The node has no Kubernetes layer of that version.',
    cause: 'The drive was not given to the machine, or the layer was not staged.',
    fix: 'Give the machine the drive, or stage the layer, then call again.',
  },
  'kubernetes/layer-refused': {
    meaning: 'The Kubernetes layer was not merged into the system.',
    cause: 'A signature the node does not trust, a layer for another OS version, or a damaged drive.',
    fix: 'Use a layer of the release that the node runs; the journal of systemd-sysext.service has the reason.',
  },
  'kubernetes/layer-invalid': {
    meaning: 'A layer was not stored.',
    cause: 'Its size or SHA-256 is not what was announced, or the stream broke off.',
    fix: 'Send the layer again.',
  },
  'kubernetes/space': {
    meaning: '/var has too little space for the layer.',
    cause: 'Images, logs or other layers fill the disk.',
    fix: 'Remove what is not used, or give the node a larger disk.',
  },
  'kubernetes/unit-failed': {
    meaning: 'A step that runs as a unit of the node failed.',
    cause: 'The last lines of its journal are in the message.',
    fix: 'Mend what the message says, then call the same method again.',
  },
  'kubernetes/unit-timeout': {
    meaning: 'A step that runs as a unit of the node did not end in time.',
    cause: 'A machine under heavy load, or a control plane that does not become healthy.',
    fix: 'Call the same method again; it goes on where it stopped.',
  },
  'kubernetes/node-not-ready': {
    meaning: 'The node did not become ready in its cluster.',
    cause: 'Its kubelet, container runtime or pod network does not work; the reason is in the message.',
    fix: 'Mend what the message says, then call the same method again.',
  },
  'kubernetes/api-server-silent': {
    meaning: 'The API server of the cluster does not answer this node.',
    cause: 'No control plane is up, the network between the nodes is down, or the credential has expired.',
    fix: 'Check that a control plane is up and reachable from this node, then call again.',
  },
  'kubernetes/invitation-refused': {
    meaning: 'The invitation is not for this node.',
    cause: 'It names another identity, name or address, or misses what its role needs.',
    fix: 'Ask a control plane to invite this very node.',
    exitCode: exitCodes.forbidden,
  },
  'kubernetes/invitation-expired': {
    meaning: 'The invitation is not valid any more.',
    cause: 'It was made too long ago, or the clocks of the two nodes differ.',
    fix: 'Compare the clocks of both nodes and make a new invitation.',
    exitCode: exitCodes.forbidden,
  },
  'kubernetes/version-skew': {
    meaning: 'The version is not one the node may go to.',
    cause: 'A downgrade, a jump over a minor version, or a node ahead of the control plane.',
    fix: 'Upgrade the control planes first, and one minor version at a time.',
  },
  'kubernetes/leave-refused': {
    meaning: 'The node may not leave its cluster without an override.',
    cause: 'etcd would lose its quorum, or the cluster its last control plane.',
    fix: "Add another control plane first, or give the node's name as the override.",
    exitCode: exitCodes.forbidden,
  },
} as const satisfies CodeTable;
