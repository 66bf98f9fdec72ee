import {
  afterPass,
  type ClusterVerification,
  describeRefusal,
  type Enrolment,
  type Judgement,
} from '@plinth/attest';
import { PlinthError } from '@plinth/base';
import type { InvitedNode } from '../access/cluster-access.ts';
import type { KubeClient } from '../access/kube-client.ts';
import { listNodeRecords, requireFree } from '../access/node-records.ts';
import { askNode } from './ask-node.ts';
import { findEnrolment, forgetEnrolment, keepEnrolment } from './enrolment-store.ts';
import { readVerification } from './read-verification.ts';

/**
 * What a node's proof is worth for a certificate. open: none is asked for. wait: it is being asked, or could not be, which
 * says nothing of what it booted.
 */
export interface Admission {
  readonly state: 'open' | 'pass' | 'fail' | 'wait';
  readonly reason: string;
}

/** Decides whether nodes may have certificates, by what they prove to have booted. */
export interface Admissions {
  /** Reads what the cluster asks for, before a round of decisions. @throws attest/verification-invalid; see KubeClient */
  refresh(): Promise<void>;
  /** Answers at once; a node that has no fresh proof is asked meanwhile, for the next round. */
  admit(node: InvitedNode): Admission;
  /**
   * Decides about a node that is to be invited, now. `given` is taken for its TPM from then on, when it passes with it.
   * @throws kubernetes/name-taken, attest/enrolment-needed, attest/not-passed, attest/not-asked, attest/verification-invalid; see KubeClient
   */
  invite(node: InvitedNode, given: Enrolment | undefined): Promise<void>;
  /** The node has left. Errors: see KubeClient. */
  forget(nodeName: string): Promise<void>;
}

export interface AdmissionParts {
  readonly client: KubeClient;
  /** Monotonic. */
  readonly nowMs: () => number;
  readonly say: (line: string) => void;
  /** Hears each verdict. */
  readonly audit: (record: object) => unknown;
  /** How a node is asked; default: over the network. */
  readonly ask?: typeof askNode;
}

/** A certificate is given for what a node proved so long ago at most. */
const FRESH_MS = 2 * 60_000;
/** A node that failed, or could not be asked, is asked again when it still wants a certificate by then. */
const AGAIN_MS = 20_000;
/** Nodes asked at the same time: each answer holds some 100 KiB. */
const AT_ONCE = 8;

const OPEN: Admission = { state: 'open', reason: '' };
const ASKING: Admission = { state: 'wait', reason: 'its TPM is asked what it booted' };

/** openAdmission keeps what nodes proved lately. */
export function openAdmission(parts: AdmissionParts): Admissions {
  const { client, nowMs, say, audit, ask = askNode } = parts;
  let verification: ClusterVerification | undefined;
  const proven = new Map<string, { readonly admission: Admission; readonly untilMs: number }>();
  const asking = new Set<string>();

  function keep({ nodeId }: InvitedNode, admission: Admission): void {
    const lifeMs = admission.state === 'pass' ? FRESH_MS : AGAIN_MS;
    proven.set(nodeId, { admission, untilMs: nowMs() + lifeMs });
  }

  /** One question and its verdict, told to the audit log; a pass is remembered in the cluster. */
  async function judge(node: InvitedNode, by: ClusterVerification, enrolment: Enrolment): Promise<Judgement> {
    const judgement = await ask(node, by, enrolment);
    const { verdict, release, resetCount } = judgement;
    const reason = describeRefusal(judgement);
    await audit({
      ...{ time: new Date().toISOString(), event: 'attestation.judged', rule: by.rule, verdict, reason },
      ...{ node: node.nodeName, nodeId: node.nodeId, release: release?.version ?? '', resetCount },
    });
    say(
      `attestation: ${node.nodeName} (${node.nodeId}): ${verdict}${reason === '' ? '' : `: ${reason}`} [${by.rule}]`,
    );
    const after = afterPass(enrolment, judgement);
    if (verdict === 'pass') await keepEnrolment(client, after);
    return judgement;
  }

  async function prove(node: InvitedNode, by: ClusterVerification): Promise<Admission> {
    const enrolment = await findEnrolment(client, node.nodeName);
    if (enrolment?.nodeId !== node.nodeId) {
      return {
        state: 'wait',
        reason: 'its TPM is not known to the cluster: "plinth cluster attest --enrol"',
      };
    }
    const judgement = await judge(node, by, enrolment);
    return { state: judgement.verdict, reason: describeRefusal(judgement) };
  }

  function begin(node: InvitedNode, by: ClusterVerification): void {
    if (asking.has(node.nodeId) || asking.size >= AT_ONCE) return;
    asking.add(node.nodeId);
    void prove(node, by)
      .catch((reason: unknown): Admission => {
        const { message } = PlinthError.from(reason, 'attest/not-asked', 'Cannot ask the node');
        say(`attestation: ${message}`);
        return { state: 'wait', reason: message };
      })
      .then((admission) => {
        if (verification === by) keep(node, admission);
      })
      .finally(() => asking.delete(node.nodeId));
  }

  return {
    async refresh() {
      const read = await readVerification(client);
      if (JSON.stringify(read) !== JSON.stringify(verification)) {
        verification = read;
        proven.clear(); // a verdict is by the rule and the releases of its time
      }
      for (const [nodeId, { untilMs }] of proven) if (untilMs <= nowMs()) proven.delete(nodeId);
    },
    admit(node) {
      if (!verification) return OPEN;
      const held = proven.get(node.nodeId);
      const valid = held && held.untilMs > nowMs();
      if (!valid) begin(node, verification);
      if (verification.rule === 'report') return OPEN;
      return valid ? held.admission : ASKING;
    },
    async invite(node, given) {
      const by = await readVerification(client);
      if (!by) return;
      requireFree(node, await listNodeRecords(client)); // what is known of a member's TPM is not for others to change
      const enrolment = renewed(given, await findEnrolment(client, node.nodeName));
      if (enrolment?.nodeId !== node.nodeId) {
        if (by.rule === 'report') return;
        throw new PlinthError(
          'attest/enrolment-needed',
          `Cannot invite node ${node.nodeName}: the cluster does not know its TPM, expected an enrolment`,
        );
      }
      try {
        const judgement = await judge(node, by, enrolment);
        if (judgement.verdict === 'pass') return;
        if (by.rule === 'report') return await keepEnrolment(client, enrolment);
        throw new PlinthError(
          'attest/not-passed',
          `Cannot invite node ${node.nodeName}: ${describeRefusal(judgement)}`,
        );
      } catch (reason) {
        const unasked = reason instanceof PlinthError && reason.code === 'attest/not-asked';
        if (!unasked || by.rule === 'required') throw reason;
        say(`attestation: ${reason.message}`);
      }
    },
    forget: (nodeName) => forgetEnrolment(client, nodeName),
  };
}

/** Enrolling the same TPM anew does not let its node go back to an older release. */
function renewed(given: Enrolment | undefined, stored: Enrolment | undefined): Enrolment | undefined {
  if (!given || stored?.akPublic !== given.akPublic) return given ?? stored;
  return { ...given, newestVersion: stored.newestVersion };
}
