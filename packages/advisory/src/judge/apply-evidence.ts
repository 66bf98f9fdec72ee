import type { FlawDetail } from '../feeds/feed-content.ts';
import type {
  Evidence,
  Inventory,
  PredicateOutcome,
  VexJustification,
  VexPredicate,
} from '../model/index.ts';
import type { Judgement } from './judgement.ts';
import type { EvidenceRules } from './knowledge.ts';

interface Proposal {
  readonly predicate: VexPredicate;
  readonly justification: VexJustification;
}

/** What is known of the flaw beside the judgement. */
export interface KnownOfFlaw {
  readonly detail: FlawDetail | undefined;
  /** What people said about it; each has to hold for this image. */
  readonly statements: readonly Proposal[];
}

/**
 * applyEvidence asks the image itself about a flaw that would be open in it: architecture, kernel config, module
 * files. Only a predicate that holds turns it into "not affected"; the others are kept as tried; pure.
 */
export function applyEvidence(
  judgement: Judgement,
  inventory: Inventory,
  known: KnownOfFlaw,
  evidence: EvidenceRules,
  now: Date,
): Judgement {
  if (judgement.verdict !== 'open' && judgement.verdict !== 'unknown') return judgement;
  const tried = proposals(judgement, inventory, known, evidence).map((proposal) => ({
    ...proposal,
    outcome: evidence.evaluate(proposal.predicate, inventory, now),
  }));
  const holds = tried.find(({ outcome }) => outcome.holds === 'yes');
  if (!holds) {
    const kept = [
      ...tried.map((each) => asEvidence(each, false)),
      ...compiledIn(judgement, inventory, known, evidence),
    ];
    return kept.length === 0 ? judgement : { ...judgement, evidence: [...judgement.evidence, ...kept] };
  }
  const { unknownSince: _, ...rest } = judgement;
  return {
    ...rest,
    verdict: 'not-affected',
    reason: holds.outcome.detail,
    justification: holds.justification,
    evidence: [asEvidence(holds, true), ...judgement.evidence],
  };
}

function proposals(
  { component, title, goFunctions = [] }: Judgement,
  inventory: Inventory,
  { detail, statements }: KnownOfFlaw,
  evidence: EvidenceRules,
): Proposal[] {
  const affected = title === undefined ? undefined : evidence.architecturesOf(title);
  const deleted = deletedFiles(component.binaries, inventory);
  const ofFiles: Proposal[] =
    component.ecosystem === 'debian' && deleted.length > 0
      ? [{ predicate: { kind: 'path-absent', paths: deleted }, justification: 'component_not_present' }]
      : [];
  const ofArchitecture: Proposal[] =
    affected && affected.length > 0
      ? [
          {
            predicate: { kind: 'other-architecture', affected },
            justification: 'vulnerable_code_not_present',
          },
        ]
      : [];
  const change = kernelChangeOf(component, title ?? detail?.title, detail);
  if (!change)
    return [...statements, ...ofFiles, ...ofFunctions(component.files, goFunctions), ...ofArchitecture];
  return [...statements, ...ofFiles, ...ofArchitecture, ...evidence.proposeKernel(change, inventory)];
}

/** The change that fixes a flaw of the kernel, as far as it is told; undefined for everything else. */
function kernelChangeOf(
  { ecosystem, name }: Judgement['component'],
  subject: string | undefined,
  detail: FlawDetail | undefined,
) {
  if (ecosystem !== 'debian' || name !== 'linux' || subject === undefined) return undefined;
  const files = detail?.programFiles;
  return { subject, ...(files === undefined ? {} : { files }) };
}

/** That the code is there does not open a flaw; it says that nothing in the image speaks against it. */
function compiledIn(
  { component, title }: Judgement,
  inventory: Inventory,
  { detail }: KnownOfFlaw,
  evidence: EvidenceRules,
): Evidence[] {
  const change = kernelChangeOf(component, title ?? detail?.title, detail);
  const statement = change && evidence.compiledKernel?.(change, inventory);
  if (statement === undefined) return [];
  return [{ kind: 'kernel-config', speaksFor: 'open', statement, source: 'image', confidence: 'proven' }];
}

function ofFunctions(paths: readonly string[], symbols: readonly string[]): Proposal[] {
  if (paths.length === 0 || symbols.length === 0) return [];
  return [
    { predicate: { kind: 'go-symbol-absent', paths, symbols }, justification: 'vulnerable_code_not_present' },
  ];
}

/** The files of all packages concerned, when every one of them was deleted from the image; otherwise none. */
function deletedFiles(names: readonly string[], { binaries }: Inventory): string[] {
  const concerned = binaries.filter(({ name }) => names.includes(name));
  const gone = concerned.every(({ filesPresent }) => filesPresent === 'none');
  return concerned.length > 0 && gone ? concerned.flatMap(({ absentPaths = [] }) => absentPaths) : [];
}

function asEvidence(
  { predicate, outcome }: Proposal & { readonly outcome: PredicateOutcome },
  decides: boolean,
): Evidence {
  return {
    kind: KINDS[predicate.kind],
    speaksFor: decides ? 'not-affected' : outcome.holds === 'no' ? 'open' : 'unknown',
    statement: outcome.detail,
    source: predicate.kind === 'human' ? 'human' : 'image',
    confidence: predicate.kind === 'human' ? 'stated' : 'proven',
    predicate,
    outcome,
  };
}

const KINDS: Readonly<Record<VexPredicate['kind'], Evidence['kind']>> = {
  'path-absent': 'file',
  'package-absent': 'file',
  'config-off': 'kernel-config',
  'module-absent': 'kernel-module',
  'module-denied': 'kernel-module',
  'other-architecture': 'architecture',
  'symbol-not-imported': 'elf-symbol',
  'go-symbol-absent': 'go-module',
  human: 'human',
};
