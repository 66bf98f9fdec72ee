export { describeCode, type ErrorCode, errorCodes, isErrorCode } from './codes/index.ts';
export type { CodeEntry } from './codes/types.ts';
export {
  checkData,
  closest,
  type ParsedDocument,
  readDocument,
  spanAt,
  type TextSource,
} from './document.ts';
export {
  type Diagnostic,
  messageOf,
  PlinthError,
  type PlinthErrorOptions,
  type Span,
  unreachable,
} from './error.ts';
export { type ExitCode, exitCodes } from './exit-codes.ts';
export { type Progress, silentProgress } from './progress.ts';
export { renderDiagnostic } from './render-diagnostic.ts';
export { compareDebianVersions } from './version/debian.ts';
export { compareUapiVersions } from './version/uapi10.ts';
