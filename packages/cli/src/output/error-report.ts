import { readFileSync, statSync } from 'node:fs';
import { type Diagnostic, type PlinthError, renderDiagnostic } from '@plinth/base';
import { printable } from './printable.ts';
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
  const text = renderDiagnostic(diagnostic, sourceFor(diagnostic, readSource));
  const head = `${diagnostic.severity}[${diagnostic.code}]`;
  const mark = diagnostic.severity === 'error' ? style.bad : style.doubtful;
  return `${text.replace(head, () => mark(head)).replace(/^( {2}hint:)/m, (label) => style.active(label))}\n`;
}

/** Bounds on what a frame is made of. A longer line than this hides the message it is to explain. */
const LONGEST_LINE_CHARS = 500;
const LARGEST_SOURCE_BYTES = 4 * 1024 * 1024;

/** The text around a place, safe for a terminal and with its columns kept; nothing when its line is no line of a person. */
function sourceFor({ span }: Diagnostic, readSource: typeof readText): string | undefined {
  if (span === undefined) return undefined;
  const lines = readSource(span.file)?.split('\n') ?? [];
  const line = lines[span.line - 1];
  if (line === undefined || line.length > LONGEST_LINE_CHARS) return undefined;
  lines[span.line - 1] = printable(line.replaceAll('\t', ' '));
  return lines.join('\n');
}

/**
 * The frame is a help for the reader; where the file cannot be read any more, the place alone must do. A pipe is not read:
 * that waits for whoever writes.
 */
function readText(path: string): string | undefined {
  try {
    const info = statSync(path);
    if (!info.isFile() || info.size > LARGEST_SOURCE_BYTES) return undefined;
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
