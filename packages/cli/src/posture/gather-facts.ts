import { type Check, FactState, type NodeClient, type SecurityFact, Verdict } from '@plinth/api';
import type { Fact, Facts } from '@plinth/posture';

/** What a node says about itself, read for one look. */
export interface ToldByNode {
  readonly facts: Facts;
  readonly nodeName: string;
  readonly nodeId: string;
  readonly bootId: string;
  readonly imageVersion: string;
  /** Of the running root, as dm-verity holds it; "" when it is not on dm-verity. */
  readonly rootHash: string;
  /** RFC 3339, by the node's clock. */
  readonly observedAt: string;
}

/** gatherFacts asks a node for its checks and for the named facts; nothing on it changes. @throws api/… */
export async function gatherFacts(node: NodeClient, names: readonly string[]): Promise<ToldByNode> {
  const [identity, versions, integrity, health, told] = await Promise.all([
    node.getIdentity(),
    node.getVersions(),
    node.getIntegrity(),
    node.getHealth(),
    node.posture.facts(names),
  ]);
  return {
    facts: new Map<string, Fact>([
      ...integrity.checks.map((check): [string, Fact] => [`integrity/${check.id}`, checkFact(check)]),
      ...health.checks.map((check): [string, Fact] => [`health/${check.id}`, checkFact(check)]),
      ...told.facts.map((fact): [string, Fact] => [fact.name, factOf(fact)]),
    ]),
    ...{ nodeName: identity.nodeName, nodeId: identity.nodeId, bootId: identity.bootId },
    ...{ imageVersion: versions.imageVersion, rootHash: integrity.rootHash },
    observedAt: new Date(Number(told.observedAt?.seconds ?? 0n) * 1000).toISOString(),
  };
}

function checkFact({ verdict, observed, source }: Check): Fact {
  if (verdict === Verdict.PASS)
    return { state: 'present', value: 'pass', source, shown: `pass (${observed})` };
  if (verdict === Verdict.FAIL)
    return { state: 'present', value: 'fail', source, shown: `fail (${observed})` };
  return { state: 'unknown', source, reason: observed };
}

/** What a newer node may send and this client does not know is unknown. */
function factOf({ state, value, source, reason }: SecurityFact): Fact {
  if (state === FactState.PRESENT) return { state: 'present', value, source };
  return state === FactState.ABSENT ? { state: 'absent', source } : { state: 'unknown', source, reason };
}
