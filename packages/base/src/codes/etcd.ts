import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const etcdCodes = {
  'etcd/no-member': {
    meaning: 'The node has no member of etcd that it could ask.',
    cause: 'The node is a worker or belongs to no cluster.',
    fix: 'Ask a control plane of the cluster.',
    exitCode: exitCodes.usage,
  },
  'etcd/unreachable': {
    meaning: 'The etcd member does not answer in time.',
    cause: 'It starts, it is being restored or defragmented, its disk is slow, or too few members are up.',
    fix: 'Try again in a minute; then look at the members ("plinth etcd members") and bring the missing nodes back.',
  },
  'etcd/refused': {
    meaning: 'The etcd member refused what it was asked for.',
    cause: 'The member is unknown, is still learning, or the cluster is not healthy enough for the change.',
    fix: 'Look at the members ("plinth etcd members") and try again when all of them are healthy.',
  },
  'etcd/answer-invalid': {
    meaning: 'The etcd member gave an answer that Plinth does not understand.',
    cause: 'A version of etcd that this node was not made for.',
    fix: 'Bring the node to a release of Plinth that supports the version of Kubernetes.',
  },
  'etcd/quorum-at-risk': {
    meaning: 'The change would leave etcd without a quorum, and with it the cluster without its database.',
    cause: 'Too few voting members are healthy for one of them to go, or it is not known whether they are.',
    fix: 'Bring the other members back first. Only if one never comes back, name it as the override.',
    exitCode: exitCodes.forbidden,
  },
  'etcd/not-confirmed': {
    meaning: 'A restore was not confirmed with the name of the node.',
    cause: 'A mistyped name, or a call that reached another node than the one meant.',
    fix: 'Repeat the call with the name of the node whose database is to be replaced.',
    exitCode: exitCodes.usage,
  },
  'etcd/snapshot-damaged': {
    meaning: 'A snapshot of etcd is not whole.',
    cause:
      'A transfer that was cut short, a damaged file, or a copy of the database file without its checksum.',
    fix: 'Take the snapshot again, or use another one.',
  },
  'etcd/restore-failed': {
    meaning: 'The snapshot could not be put in place, or the member does not run on it.',
    cause: 'A snapshot of a newer etcd, no space on /var, or a member that did not end in time.',
    fix: 'Read the log of plinth-etcd-restore.service; unless it says otherwise the old data is still in use.',
  },
} as const satisfies CodeTable;
