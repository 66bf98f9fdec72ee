import type { NodeClient } from '@plinth/api';
import {
  afterPass,
  challenge,
  type Enrolment,
  explainRegisters,
  FIRMWARE_PCRS,
  type Judgement,
  judgeEvidence,
  knownNode,
  type Reference,
} from '@plinth/attest';
import { PlinthError } from '@plinth/base';
import type { CommandContext } from '../framework/context.ts';
import { printable } from '../output/printable.ts';
import { proveKeys } from './enrol-node.ts';
import { readEnrolment, writeEnrolment } from './enrolment-book.ts';

/** Names of machines end there; a node may send anything. */
const NAME_LIMIT = 253;

export interface AttestOptions {
  /** Releases the node may run. */
  readonly references: readonly Reference[];
  /** Enrol it first when it is not known. */
  readonly enrol: boolean;
  /** Let it have another TPM or another firmware than at its enrolment. */
  readonly replace: boolean;
  /** Let it run an older release than it passed with before. */
  readonly older: boolean;
  /** PEM file of authorities that vouch for endorsement keys. */
  readonly ekAuthority: string | undefined;
}

export interface AttestedNode {
  readonly judgement: Judgement;
  readonly enrolment: Enrolment;
  /** Whether it was enrolled just now. */
  readonly isNew: boolean;
}

/**
 * attestNode asks a node for evidence with a fresh nonce and judges it. A pass is remembered: the node may not go back
 * behind that release.
 * @throws attest/not-enrolled, attest/enrolment-refused, attest/book-invalid, attest/no-tpm, attest/tpm-refused, api/…
 */
export async function attestNode(
  node: NodeClient,
  options: AttestOptions,
  env: CommandContext['env'],
): Promise<AttestedNode> {
  const { nodeId, nodeName: told } = await node.getIdentity();
  const nodeName = printable(told).slice(0, NAME_LIMIT);
  const stored = await readEnrolment(env, nodeId);
  if (!stored && !options.enrol) {
    throw new PlinthError('attest/not-enrolled', `Cannot judge ${nodeName}: its TPM is not known here`);
  }
  const isNew = !stored || (options.enrol && options.replace);
  const enrolment = isNew ? await enrolNode(node, nodeId, nodeName, options.ekAuthority) : stored;
  const { evidence, exchange } = await challenge((nonce) => node.attestation.attest(nonce));
  const judgement = judgeEvidence({
    ...{ evidence, exchange, known: knownNode(enrolment), references: options.references },
    olderAllowed: options.older,
  });
  const kept = afterPass(enrolment, judgement, options.older);
  if (isNew || kept.newestVersion !== enrolment.newestVersion) await writeEnrolment(env, kept);
  return { judgement, enrolment: kept, isNew };
}

/**
 * enrolNode has a node prove its keys, and takes down the registers of the firmware from a quote by them.
 * @throws attest/enrolment-refused and as proveKeys
 */
export async function enrolNode(
  node: NodeClient,
  nodeId: string,
  nodeName: string,
  ekAuthority: string | undefined,
): Promise<Enrolment> {
  const { ekPublic, akPublic, vouchedBy } = await proveKeys(node, ekAuthority);
  const { evidence, exchange } = await challenge((nonce) => node.attestation.attest(nonce));
  const explained = explainRegisters(evidence, exchange, akPublic);
  const findings = 'events' in explained ? explained.findings : explained;
  const [first] = findings;
  if (first || !('events' in explained)) {
    throw new PlinthError(
      'attest/enrolment-refused',
      `Cannot enrol ${nodeName}: ${first?.message ?? 'no quote'}`,
    );
  }
  const { registers } = explained;
  return {
    ...{ format: 1, nodeId, nodeName, vouchedBy, newestVersion: '' },
    ...{ ekPublic: Buffer.from(ekPublic).toString('hex'), akPublic: Buffer.from(akPublic).toString('hex') },
    enrolledAt: new Date().toISOString(),
    firmware: FIRMWARE_PCRS.map((pcr) => ({ pcr, sha256: registers.get(pcr) ?? '' })),
  };
}
