import type { Diagnostic } from './error.ts';

/**
 * Renders one diagnostic as plain text with a code frame, in the layout of compilers.
 * @param source the text of the file the span points into, if at hand
 */
export function renderDiagnostic(diagnostic: Diagnostic, source?: string): string {
  const lines = [`${diagnostic.severity}[${diagnostic.code}]: ${diagnostic.message}`];
  const { span } = diagnostic;
  if (span) {
    const path = diagnostic.path ? ` (${diagnostic.path})` : '';
    lines.push(`  --> ${span.file}:${span.line}:${span.column}${path}`);
    const text = diagnostic.secret ? undefined : source?.split('\n')[span.line - 1];
    if (text !== undefined) {
      const gutter = String(span.line);
      const pad = ' '.repeat(gutter.length);
      lines.push(`${pad} |`, `${gutter} | ${text}`);
      lines.push(`${pad} | ${' '.repeat(span.column - 1)}${'^'.repeat(Math.max(1, span.length))}`);
    }
  } else if (diagnostic.path) {
    lines.push(`  --> ${diagnostic.path}`);
  }
  if (diagnostic.hint) lines.push(`  hint: ${diagnostic.hint}`);
  return lines.join('\n');
}
