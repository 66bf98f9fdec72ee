import type { Access } from '@plinth/api';
import { STRANGER } from '../server/caller.ts';

/** A role of the owner's own: methods by pattern, on some nodes. */
export interface AccessRole {
  readonly name: string;
  /** "NodeService.Get*", "LogsService.ReadLogs", "*": a `*` stands for any letters. */
  readonly methods: readonly string[];
  /** Nodes it holds on; absent: all. */
  readonly nodes?: NodeSelector | undefined;
}

export interface NodeSelector {
  /** Patterns of node names; absent: any name. */
  readonly names?: readonly string[] | undefined;
  /** Labels the node must have, all of them. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** The node that judges. */
export interface JudgedNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A method as the judgement sees it. */
export interface JudgedMethod {
  /** "NodeService.GetHealth". */
  readonly name: string;
  /** Least built-in role, from the contract; UNSPECIFIED: nobody's. */
  readonly least: Access;
}

export type AccessJudgement =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly reason: string };

/** How far the built-in roles reach, in the words of the contract (options.proto). */
const REACH: Readonly<Record<string, Access>> = {
  'plinth:reader': 1,
  'plinth:operator': 2,
  'plinth:admin': 3,
};

/** ACCESS_STRANGER. */
const STRANGERS: Access = 4;

/**
 * judgeAccess decides whether a role may call a method on a node. A built-in role may what the contract says; a role of the
 * owner may the methods of its patterns, on the nodes of its selector, and nothing else. Built-in names cannot be redefined,
 * and a method that the contract gives to nobody stays nobody's.
 */
export function judgeAccess(
  role: string,
  method: JudgedMethod,
  roles: readonly AccessRole[],
  node: JudgedNode,
): AccessJudgement {
  if (method.least === 0) return refuse(`${method.name} is for nobody`);
  if (method.least === STRANGERS || role === STRANGER) {
    if (method.least === STRANGERS && role === STRANGER) return { allowed: true };
    const whose =
      role === STRANGER ? 'not for callers without a certificate' : 'for callers without a certificate only';
    return refuse(`${method.name} is ${whose}`);
  }
  const reach = REACH[role];
  if (reach !== undefined) {
    if (reach >= method.least) return { allowed: true };
    const [needed] = Object.entries(REACH).find(([, each]) => each === method.least) ?? [];
    return refuse(`${method.name} is for ${needed ?? 'nobody'}, the certificate has ${role}`);
  }
  const own = roles.filter(({ name }) => name === role);
  if (own.length === 0) return refuse(`the role ${role} is not in the machine config`);
  const here = own.filter(({ nodes }) => holdsOn(nodes, node));
  if (here.length === 0) return refuse(`the role ${role} does not hold on this node`);
  if (here.some(({ methods }) => methods.some((pattern) => matches(pattern, method.name))))
    return { allowed: true };
  return refuse(`the role ${role} does not have ${method.name}`);
}

function holdsOn(selector: NodeSelector | undefined, { name, labels }: JudgedNode): boolean {
  const named = selector?.names?.some((pattern) => matches(pattern, name)) ?? true;
  const wanted = Object.entries(selector?.labels ?? {});
  return named && wanted.every(([key, value]) => labels[key] === value);
}

/** matches compares with a pattern in which `*` stands for any letters, in time that grows with the product of the lengths. */
export function matches(pattern: string, text: string): boolean {
  let [place, star, resume] = [0, -1, 0];
  let at = 0;
  while (at < text.length) {
    if (pattern[place] === '*') {
      star = place++;
      resume = at;
    } else if (place < pattern.length && pattern[place] === text[at]) {
      place++;
      at++;
    } else if (star >= 0) {
      place = star + 1;
      at = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[place] === '*') place++;
  return place === pattern.length;
}

function refuse(reason: string): AccessJudgement {
  return { allowed: false, reason };
}
