export type {
  AdvisoryRecord,
  RecordComponent,
  RecordProduct,
  RecordReference,
  RecordRevision,
  RecordStatus,
  Remediation,
} from './advisory-record.ts';
export type { ChangelogClaim, ChangelogEntry, IdentifierRole } from './changelog.ts';
export {
  type CheckedStatement,
  type Confidence,
  type Evidence,
  type EvidenceKind,
  type PredicateOutcome,
  type VexJustification,
  type VexPredicate,
  vexJustifications,
} from './evidence.ts';
export type { FeedAuthenticity, FeedCondition, FeedName, FeedState } from './feed.ts';
export {
  type AffectedComponent,
  type DebianStance,
  type Finding,
  type FindingClocks,
  type ScanReport,
  type Verdict,
  verdicts,
} from './finding.ts';
export type {
  BinaryComponent,
  FactSource,
  GoModuleVersion,
  GoProgram,
  Inventory,
  KernelFacts,
  NpmModule,
  Provenance,
  SourceVersion,
  SubjectKind,
} from './inventory.ts';
export {
  type ExploitPrediction,
  ID_LIMIT_CHARACTERS,
  type IdScheme,
  type IdState,
  type KnownExploited,
  normaliseId,
  type SeverityClaim,
  type SeverityLevel,
  schemeOf,
  type VulnerabilityId,
} from './vulnerability.ts';
