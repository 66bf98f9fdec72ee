import { readFileSync } from 'node:fs';
import { type Diagnostic, type PlinthError, renderDiagnostic } from '@plinth/base';
import type { Style } from './style.ts';

/** errorData is the JSON form of an error, for -o json and -o yaml. */
export function errorData(error: PlinthError): object {
  const { code, message, hint, details, retryable, exitCode, diagnostics } = error;
  return { error: { code, message, hint, details, retryable, exitCode, diagnostics } };
}

/** renderError draws an error and its findings as blocks with source frames, the hint last. */
export function renderError(error: PlinthError, style: Style, readSource = readText): string {
  const { code, message, hint, diagnostics } = error;
  if (code === 'cli/interrupted') return `${style.doubtful('Interrupted.')} ${hint}\n`;
  const findings = diagnostics.map((one) => frame(one, style, readSource));
  // A single finding with the same code is the error itself, seen closer.
  const [only] = diagnostics;
  if (only && diagnostics.length === 1 && only.code === code)
    return frame({ hint, ...only }, style, readSource);
  const head = frame({ code, severity: 'error', message, hint }, style, readSource);
  return [...findings, head].join('\n');
}

function frame(diagnostic: Diagnostic, style: Style, readSource: typeof readText): string {
  const text = renderDiagnostic(diagnostic, diagnostic.span && readSource(diagnostic.span.file));
  const head = `${diagnostic.severity}[${diagnostic.code}]`;
  const mark = diagnostic.severity === 'error' ? style.bad : style.doubtful;
  return `${text.replace(head, () => mark(head)).replace(/^( {2}hint:)/m, (label) => style.active(label))}\n`;
}

/** The frame is a help for the reader; where the file cannot be read any more, the place alone must do. */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
