import type { MessageInitShape } from '@bufbuild/protobuf';
import { type CheckSchema, Verdict } from '@plinth/api';
import type { CheckResult } from './check.ts';

/** Verdicts in the words of the API. */
export const verdicts = { pass: Verdict.PASS, fail: Verdict.FAIL, unknown: Verdict.UNKNOWN } as const;

/** checkMessage renders the result of a check. */
export function checkMessage(result: CheckResult): MessageInitShape<typeof CheckSchema> {
  return { ...result, verdict: verdicts[result.verdict] };
}
