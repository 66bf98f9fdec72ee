import { PlinthError } from '@plinth/base';
import type { EtcdClient, ListedMember, MemberStatus } from './etcd-client.ts';
import type { QuorumMember } from './judge-loss.ts';

/** A member with what it says of itself. */
export interface SurveyedMember extends QuorumMember {
  readonly peerUrl: string;
  readonly clientUrl: string;
  readonly leader: boolean;
  /** Why it is not healthy; empty when it is. */
  readonly problem: string;
  /** Absent when it did not answer. */
  readonly status: MemberStatus | undefined;
}

/**
 * surveyMembers asks one member who is there, and then each of them how it is. A member that does not answer is in the
 * list with its problem.
 * @param open gives a client for a member's client URL; closed here
 * @throws etcd/unreachable and others of EtcdClient when the first member does not answer
 */
export async function surveyMembers(
  local: EtcdClient,
  open: (target: { host: string; port: number }) => EtcdClient,
): Promise<readonly SurveyedMember[]> {
  const members = await local.listMembers();
  const surveyed = await Promise.all(
    members.map(async (member) => {
      const answer = await askStatus(member, open);
      return typeof answer === 'string'
        ? survey(member, undefined, answer)
        : survey(member, answer, complaint(answer));
    }),
  );
  return surveyed.sort((left, right) => (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
}

async function askStatus(
  { id, clientUrls }: ListedMember,
  open: (target: { host: string; port: number }) => EtcdClient,
): Promise<MemberStatus | string> {
  const url = URL.parse(clientUrls[0] ?? '');
  if (!url) return 'it was added and has not started yet';
  const client = open({ host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 443) });
  try {
    const status = await client.status();
    return status.id === id ? status : `another member (${status.id}) answers at ${url.host}`;
  } catch (reason) {
    return reason instanceof PlinthError ? reason.message : 'it does not answer';
  } finally {
    client.close();
  }
}

function complaint({ leader, errors }: MemberStatus): string {
  if (leader === '0') return 'it sees no leader';
  return errors.join(', ');
}

function survey(member: ListedMember, status: MemberStatus | undefined, problem: string): SurveyedMember {
  return {
    id: member.id,
    name: member.name,
    learner: member.learner,
    peerUrl: member.peerUrls[0] ?? '',
    clientUrl: member.clientUrls[0] ?? '',
    leader: status !== undefined && status.leader === member.id,
    healthy: status !== undefined && problem === '',
    problem,
    status,
  };
}
