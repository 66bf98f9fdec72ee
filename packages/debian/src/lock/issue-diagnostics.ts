import type { Diagnostic, ErrorCode } from '@plinth/base';
import { type Document, isNode, type LineCounter } from 'yaml';
import type { z } from 'zod';

/**
 * issueDiagnostics gives each fault that a schema found its place in the YAML or JSON text it was read from.
 * A key that is missing is shown at the nearest thing that exists.
 */
export function issueDiagnostics(
  code: ErrorCode,
  error: z.ZodError,
  document: Document,
  lines: LineCounter,
  file: string,
): Diagnostic[] {
  return error.issues.map((issue) => {
    const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
    let node: unknown;
    for (let depth = path.length; depth >= 0 && !isNode(node); depth--) {
      node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    }
    const [start = 0, end = start] = isNode(node) ? (node.range ?? []) : [];
    const { line, col } = lines.linePos(start);
    const lineEnd = lines.lineStarts[line] ?? end + 1;
    const length = Math.max(1, Math.min(end, lineEnd - 1) - start);
    const where = path.reduce<string>(
      (text, key) => text + (typeof key === 'number' ? `[${key}]` : `.${key}`),
      '$',
    );
    return {
      code,
      severity: 'error',
      message: `Cannot use ${where}: ${issue.message}`,
      path: where,
      span: { file, line, column: col, length },
    };
  });
}
