import { decodeBase64, invalid, type Unpacked } from './unpack.ts';

/** Bounds on a message, beside that of all its bytes. */
const MULTIPART_LIMITS = { parts: 64, headers: 32, headerBytes: 8 * 1024 } as const;

/** One part, decoded. */
export interface MimePart {
  /** Lower case, without parameters; "text/plain" when the part does not say. */
  readonly type: string;
  /** From Content-Disposition, for people. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type Multipart =
  | { readonly ok: true; readonly parts: readonly MimePart[] }
  | { readonly ok: false; readonly code: 'config/invalid' | 'config/too-large'; readonly state: string };

/** Headers that say nothing about how a part is to be read. Any other would be passed over in silence. */
const HARMLESS = new Set([
  'mime-version',
  'content-description',
  'content-id',
  'date',
  'from',
  'number-attachments',
  'subject',
  'to',
]);
const READ = new Set(['content-type', 'content-transfer-encoding', 'content-disposition']);

type Headers = ReadonlyMap<string, string>;
type Split<T> = ({ readonly ok: true } & T) | (Unpacked & { ok: false });

/** isMultipart tells whether a text begins with the headers of a MIME message (RFC 2045). */
export function isMultipart(text: string): boolean {
  return /^(?:mime-version|content-type|content-transfer-encoding|number-attachments|from|subject):/i.test(
    text.slice(0, 64),
  );
}

/**
 * readMultipart takes a MIME message apart (RFC 2046). One that is cut off, or has text beside its parts, is refused:
 * what would be passed over could be what somebody counts on.
 * @param text one character for each byte (latin1)
 */
export function readMultipart(text: string): Multipart {
  const message = splitHeaders(text.replaceAll('\r\n', '\n'));
  if (!message.ok) return message;
  const { type, parameters } = contentType(message.headers);
  const boundary = parameters.get('boundary') ?? '';
  if (!type.startsWith('multipart/'))
    return invalid(`a MIME message of type ${shown(type)}, expected multipart/mixed`);
  if (boundary.length < 1 || boundary.length > 70)
    return invalid('a multipart without a boundary, expected one of 1 to 70 characters');
  const pieces = splitParts(message.body, boundary);
  if (!pieces.ok) return pieces;
  const parts: MimePart[] = [];
  for (const [index, piece] of pieces.pieces.entries()) {
    const part = readPart(piece);
    if (!part.ok) return { ...part, state: `in part ${index + 1} ${part.state}` };
    parts.push(part.part);
  }
  return { ok: true, parts };
}

function splitParts(body: string, boundary: string): Split<{ readonly pieces: readonly string[] }> {
  const pieces: string[] = [];
  const delimiter = `--${boundary}`;
  let current: string[] | undefined;
  let ended = false;
  const beside: string[] = [];
  for (const line of body.split('\n')) {
    const bare = line.startsWith(delimiter) ? line.slice(delimiter.length).trimEnd() : undefined;
    if (!ended && (bare === '' || bare === '--')) {
      if (current) pieces.push(current.join('\n'));
      if (pieces.length > MULTIPART_LIMITS.parts)
        return {
          ok: false,
          code: 'config/too-large',
          state: `more than ${MULTIPART_LIMITS.parts} parts, expected at most as many`,
        };
      current = bare === '' ? [] : undefined;
      ended = bare === '--';
    } else (current ?? beside).push(line);
  }
  if (current || !ended)
    return invalid(`a multipart that is cut off, expected "${shown(delimiter)}--" at its end`);
  if (beside.some((line) => line.trim() !== ''))
    return invalid('text before the first part or after the last, expected parts only');
  return pieces.length === 0 ? invalid('a multipart without parts, expected one') : { ok: true, pieces };
}

function readPart(piece: string): Split<{ readonly part: MimePart }> {
  const split = splitHeaders(piece);
  if (!split.ok) return split;
  const { headers, body } = split;
  const { type, parameters } = contentType(headers);
  const charset = (parameters.get('charset') ?? 'utf-8').toLowerCase();
  if (!['utf-8', 'us-ascii'].includes(charset))
    return invalid(`the charset ${shown(charset)}, expected utf-8`);
  const decoded = decode(body, (headers.get('content-transfer-encoding') ?? '7bit').trim().toLowerCase());
  if (!decoded.ok) return decoded;
  const name = parametersOf(headers.get('content-disposition') ?? '').parameters.get('filename') ?? '';
  return { ok: true, part: { type, name: shown(name), bytes: decoded.bytes } };
}

function splitHeaders(text: string): Split<{ readonly headers: Headers; readonly body: string }> {
  const headers = new Map<string, string>();
  let at = 0;
  let last = '';
  for (;;) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end);
    at = end < 0 ? text.length : end + 1;
    if (line === '') return { ok: true, headers, body: text.slice(at) };
    if (at > MULTIPART_LIMITS.headerBytes || headers.size > MULTIPART_LIMITS.headers)
      return {
        ok: false,
        code: 'config/too-large',
        state: `headers of more than ${MULTIPART_LIMITS.headerBytes} bytes or ${MULTIPART_LIMITS.headers} lines, expected fewer, then an empty line`,
      };
    if (/^[ \t]/.test(line) && last !== '') {
      headers.set(last, `${headers.get(last)} ${line.trim()}`);
      continue;
    }
    const [, name, value = ''] = /^([!-9;-~]+):[ \t]*(.*)$/.exec(line) ?? [];
    if (name === undefined)
      return invalid('a line that is no MIME header, expected "Name: value" or an empty line');
    last = name.toLowerCase();
    if (headers.has(last)) return invalid(`the header ${shown(name)} a second time, expected it once`);
    if (!READ.has(last) && !HARMLESS.has(last))
      return invalid(
        `the header ${shown(name)} cannot be honoured, expected no such header: parts are neither merged nor chosen among`,
      );
    headers.set(last, value);
    if (end < 0) return { ok: true, headers, body: '' };
  }
}

function contentType(headers: Headers) {
  const { first, parameters } = parametersOf(headers.get('content-type') ?? 'text/plain');
  return { type: first.toLowerCase(), parameters };
}

/** A header value with parameters: "text/plain; charset=utf-8; name="a b"". */
function parametersOf(value: string) {
  const parameters = new Map<string, string>();
  const [, first = ''] = /^\s*([^;]*?)\s*(?:;|$)/.exec(value) ?? [];
  for (const [, name = '', quoted, bare = ''] of value.matchAll(
    /;\s*([A-Za-z0-9-]{1,64})=(?:"([^"]*)"|([^;\s"]*))/g,
  ))
    parameters.set(name.toLowerCase(), quoted ?? bare);
  return { first, parameters };
}

function decode(body: string, encoding: string): Unpacked {
  if (['7bit', '8bit', 'binary', ''].includes(encoding))
    return { ok: true, bytes: Buffer.from(body, 'latin1') };
  if (encoding === 'base64') return decodeBase64(body);
  if (encoding === 'quoted-printable') return quotedPrintable(body);
  return invalid(`the encoding ${shown(encoding)}, expected 7bit, 8bit, binary, base64 or quoted-printable`);
}

function quotedPrintable(body: string): Unpacked {
  const text = body.replaceAll(/[ \t]+$/gm, '').replaceAll('=\n', '');
  if (/=(?![0-9A-Fa-f]{2})/.test(text))
    return invalid('broken quoted-printable text, expected "=" and two hexadecimal digits');
  const plain = text.replaceAll(/=([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return { ok: true, bytes: Buffer.from(plain, 'latin1') };
}

/** Fit to be printed: short and without anything that moves a cursor. */
function shown(text: string): string {
  return text.replaceAll(/[^ -~]/g, '?').slice(0, 80);
}
