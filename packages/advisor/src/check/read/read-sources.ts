import { createReadStream } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Diagnostic, type ErrorCode, messageOf } from '@plinth/base';
import { ioError } from '@plinth/host';
import type { KubeObject } from '../model/kube-object.ts';
import { LIMITS } from './limits.ts';
import { readPiece } from './read-piece.ts';
import { type Piece, splitDocuments } from './split-documents.ts';
import { splitJson } from './split-json.ts';

/** One thing that reading brought up. */
export type Read =
  | { readonly kind: 'object'; readonly object: KubeObject }
  | { readonly kind: 'problem'; readonly problem: Diagnostic }
  /** Something a reader should know, which is no fault of the input. */
  | { readonly kind: 'note'; readonly note: string };

export interface SourceOptions {
  /** What "-" stands for. */
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly signal: AbortSignal;
}

const MANIFEST = /\.(?:ya?ml|json)$/i;
const SKIPPED_FOLDERS = new Set(['.git', '.github', 'node_modules', '.terraform']);
const KUSTOMIZATIONS = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);

/**
 * What a shell makes of "<(helm template …)". Any other pipe has a name, and to open it waits for a writer, which nothing
 * can interrupt.
 */
const OPEN_PIPE = /^\/(?:dev\/(?:stdin$|fd\/)|proc\/(?:self|\d+)\/fd\/)/;

/** What is left of the limits of one check. */
interface Budget {
  bytes: number;
  documents: number;
  files: number;
}

/**
 * readSources reads manifests: files, folders with all below them, and "-" for standard input. What cannot be read is a
 * problem with its place; reading goes on behind it.
 * @throws host/io when a path that was named is not there
 */
export async function* readSources(
  sources: readonly string[],
  { stdin, signal }: SourceOptions,
): AsyncGenerator<Read> {
  const budget: Budget = { bytes: LIMITS.totalBytes, documents: LIMITS.documents, files: LIMITS.files };
  for (const source of sources) {
    if (source === '-') {
      yield* readStream(stdin, 'standard input', budget, true, signal);
      continue;
    }
    // A link that is named is followed: whoever names it means what it leads to.
    const info = await stat(source).catch((reason: unknown) => {
      throw ioError(reason, `read ${source}`);
    });
    if (info.isDirectory()) yield* readFolder(source, budget, 0, signal);
    else if (info.isFIFO() && !OPEN_PIPE.test(source))
      yield problemOf('host/io', source, 'a named pipe, expected a file; give it as standard input ("-")');
    else yield* readStream(createReadStream(source), source, budget, true, signal);
  }
}

async function* readFolder(
  folder: string,
  budget: Budget,
  depth: number,
  signal: AbortSignal,
): AsyncGenerator<Read> {
  if (depth > LIMITS.folders) {
    yield problemOf('check/too-large', folder, `more than ${LIMITS.folders} folders inside each other`);
    return;
  }
  const entries = [];
  try {
    for await (const entry of await opendir(folder)) entries.push(entry);
  } catch (reason) {
    yield problemOf('host/io', folder, messageOf(reason));
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const isChart = entries.some(({ name }) => name === 'Chart.yaml');
  const isCustomised = entries.some(({ name }) => KUSTOMIZATIONS.has(name));
  if (isCustomised)
    yield {
      kind: 'note',
      note: `${folder}: a kustomization that is not built; its files are checked as they are`,
    };
  for (const entry of entries) {
    signal.throwIfAborted();
    const path = join(folder, entry.name);
    // Links are not followed: they lead out of the folder, or round in it.
    if (entry.isDirectory()) {
      if (SKIPPED_FOLDERS.has(entry.name)) continue;
      if (isChart && entry.name === 'templates')
        yield problemOf(
          'check/not-rendered',
          path,
          'templates of a chart that are not rendered, expected what "helm template" prints',
        );
      else yield* readFolder(path, budget, depth + 1, signal);
    } else if (entry.isFile() && MANIFEST.test(entry.name) && !(isChart && isOfChart(entry.name))) {
      if (--budget.files < 0) {
        yield problemOf('check/too-large', path, `more than ${LIMITS.files} files, expected at most as many`);
        return;
      }
      yield* readStream(createReadStream(path), path, budget, false, signal);
    }
  }
}

/** Values and metadata of a chart are no manifests. */
function isOfChart(name: string): boolean {
  return /^(?:Chart\.(?:yaml|lock)|values.*\.(?:ya?ml|json))$/.test(name);
}

/** @param named the file was named itself, so that it is told when it holds nothing of Kubernetes */
async function* readStream(
  bytes: AsyncIterable<Uint8Array>,
  file: string,
  budget: Budget,
  named: boolean,
  signal: AbortSignal,
): AsyncGenerator<Read> {
  let objects = 0;
  let others = 0;
  let problems = 0;
  const stopped = { is: false };
  try {
    for await (const piece of piecesOf(limited(bytes, budget, stopped, signal))) {
      if (--budget.documents < 0) {
        yield problemOf('check/too-large', file, `more than ${LIMITS.documents} documents`);
        return;
      }
      const read = readPiece(piece, file);
      if (read.kind === 'object') objects++;
      if (read.kind === 'problem') problems++;
      if (read.kind === 'other') others += read.known ? 0 : 1;
      // Files in a folder that are of other programs say nothing, unless one claims to be of Kubernetes.
      const isForeign = !named && objects === 0 && !claims(piece);
      if (read.kind === 'object' || (read.kind === 'problem' && !isForeign)) yield read;
    }
  } catch (reason) {
    signal.throwIfAborted();
    yield problemOf('host/io', file, messageOf(reason));
    return;
  }
  if (stopped.is)
    yield problemOf(
      'check/too-large',
      file,
      `more than ${LIMITS.totalBytes} bytes of input, expected at most as many`,
    );
  else if (named && objects + problems === 0 && others > 0)
    yield problemOf(
      'check/not-kubernetes',
      file,
      'no document with apiVersion and kind, expected at least one',
    );
}

/** What cannot be parsed is of Kubernetes if it has the two words that each object begins with, in UTF-16 too. */
function claims({ bytes }: Piece): boolean {
  const text = Buffer.from(bytes)
    .toString('latin1')
    .replaceAll('\0', '')
    .replace(/^[þÿ]{2}/, '');
  return /^\s*"?apiVersion"?\s*:/m.test(text) && /^\s*"?kind"?\s*:/m.test(text);
}

/** JSON or YAML, by the first signs that are no space; two braces begin a template. */
async function* piecesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  const iterator = bytes[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let sign: string | undefined;
  while (sign === undefined) {
    const next = await iterator.next();
    if (next.done) break;
    first.push(next.value);
    sign = /[^\s\u00ef\u00bb\u00bf]{1,2}/.exec(Buffer.from(next.value).toString('latin1'))?.[0];
  }
  const all = (async function* () {
    yield* first;
    for (;;) {
      const next = await iterator.next();
      if (next.done) return;
      yield next.value;
    }
  })();
  yield* sign !== undefined && /^(?:\{(?!\{)|\[)/.test(sign) ? splitJson(all) : splitDocuments(all);
}

async function* limited(
  bytes: AsyncIterable<Uint8Array>,
  budget: Budget,
  stopped: { is: boolean },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    signal.throwIfAborted();
    budget.bytes -= chunk.length;
    if (budget.bytes < 0) {
      stopped.is = true;
      return;
    }
    yield chunk;
  }
}

function problemOf(code: ErrorCode, file: string, state: string): Read {
  const place = { file, line: 1, column: 1, length: 1 };
  return {
    kind: 'problem',
    problem: { code, severity: 'error', message: `Cannot check ${file}: ${state}`, span: place },
  };
}
