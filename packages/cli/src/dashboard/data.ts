import type {
  GetBootReportResponse,
  GetHealthResponse,
  GetIdentityResponse,
  GetIntegrityResponse,
  GetKubernetesResponse,
  GetNetworkResponse,
  GetResourcesResponse,
  GetSlotsResponse,
  GetUpdateResponse,
  GetVersionsResponse,
  ListServicesResponse,
  LogEntry,
} from '@plinth/api';

/** What a node was asked for, and what came of the last try. */
export interface Known<T> {
  /** The last answer; stays when a later try fails. */
  readonly value?: T;
  /** When it came. */
  readonly atMs?: number;
  /** Why the last try failed; absent when it did not. */
  readonly problem?: string;
}

/** The answers of a node by their source. */
export interface Answers {
  readonly identity: GetIdentityResponse;
  readonly versions: GetVersionsResponse;
  readonly health: GetHealthResponse;
  readonly slots: GetSlotsResponse;
  readonly update: GetUpdateResponse;
  readonly integrity: GetIntegrityResponse;
  readonly boot: GetBootReportResponse;
  readonly kubernetes: GetKubernetesResponse;
  readonly services: ListServicesResponse;
  readonly network: GetNetworkResponse;
  readonly resources: GetResourcesResponse;
}

export type Source = keyof Answers;

/** Everything the picture is made of. */
export type DashboardData = { readonly [S in Source]?: Known<Answers[S]> } & {
  readonly logs?: Known<readonly LogEntry[]>;
};

/** Entries that are kept; older ones are let go. */
export const LOG_LIMIT = 1000;

/** learned takes an answer in. Pure. */
export function learned<S extends Source>(
  data: DashboardData,
  source: S,
  value: Answers[S],
  atMs: number,
): DashboardData {
  return { ...data, [source]: { value, atMs } };
}

/** failed notes that a source did not answer; what it said before stays. Pure. */
export function failed(data: DashboardData, source: Source | 'logs', problem: string): DashboardData {
  const { value, atMs }: Known<unknown> = data[source] ?? {};
  return { ...data, [source]: { value, atMs, problem } };
}

/** logged adds entries at the end. Pure. */
export function logged(data: DashboardData, entries: readonly LogEntry[], atMs: number): DashboardData {
  const before = data.logs?.value ?? [];
  return { ...data, logs: { value: [...before, ...entries].slice(-LOG_LIMIT), atMs } };
}
