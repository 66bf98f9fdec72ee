// facts, advise, migrate
export { type Advice, advise, firstOf } from './advise/advise.ts';
export { loadCases } from './advise/cases.ts';
export type { Answer } from './advise/condition.ts';
export { type Change, explainChange } from './advise/explain-change.ts';
export { type Answers, type Finding, valueText } from './advise/judge.ts';
export { parseAnswer, readAnswers } from './advise/read-answers.ts';
export { loadRules, type Question, type Rule, type RuleBook } from './advise/rule-schema.ts';
export { whatIfs } from './advise/what-if.ts';
export { listCluster } from './check/live/list-cluster.ts';
// check
export { checkTargets, loadKnowledge as loadCheckKnowledge } from './check/load-knowledge.ts';
export { attributeRefusals, type LiveNode } from './check/observed/attribute.ts';
export { joinObserved, type NodeObservation } from './check/observed/join-observed.ts';
export { OBSERVED_LIMITS } from './check/observed/limits.ts';
export { loadObservedRules } from './check/observed/observed-rules.ts';
export { parseContainerLine } from './check/observed/parse-container.ts';
export { parseKernelLine } from './check/observed/parse-kernel.ts';
export type { AttributedRefusal, ContainerPlace, Refusal } from './check/observed/refusal.ts';
export { watchWorkloads } from './check/observed/workload-map.ts';
export { readSources as readManifests } from './check/read/read-sources.ts';
export { checkReport } from './check/report/check-report.ts';
export {
  type CheckResult,
  type Finding as CheckFinding,
  ownerText,
  placeText,
} from './check/report/finding.ts';
export { checkJunit, escapeXml } from './check/report/junit.ts';
export { checkSarif } from './check/report/sarif.ts';
export { type FixStep, simulateFixes } from './check/report/simulate.ts';
export { countFindings, isComplete, openFindings, verdictOf } from './check/report/summary.ts';
export { applyWaivers, parseWaivers } from './check/report/waivers.ts';
export { type Severity as CheckSeverity, severities as checkSeverities } from './check/rules/rule.ts';
export { type CheckKnowledge, runCheck } from './check/run-check.ts';
export {
  ageDays,
  allFactsAt,
  type Fact,
  factsAt,
  findSubject,
  isStale,
} from './facts/at-date.ts';
export { type Knowledge, loadKnowledge } from './facts/load.ts';
export type { Source, SubjectFile } from './facts/schema.ts';
export { changeCosts } from './migrate/change-cost.ts';
export { loadMoves, type Moves } from './migrate/move-schema.ts';
export { type MovePlan, planMove } from './migrate/plan.ts';
export { choosePool, type Pool, readPools } from './migrate/pool.ts';
export { adviceBrief } from './report/advice-brief.ts';
export { adviceReport } from './report/advice-report.ts';
export { decisionPath, pathMermaid } from './report/decision-path.ts';
export type { Part, Report } from './report/document.ts';
export { htmlTable, reportHtml } from './report/html.ts';
export { reportMarkdown } from './report/markdown.ts';
export { pathSvg } from './report/path-svg.ts';
export { planReport } from './report/plan-report.ts';
