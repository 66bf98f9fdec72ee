import { isMap, parseAllDocuments } from 'yaml';
import { checkText } from '../parse/limits.ts';
import { isMultipart } from './multipart.ts';
import { isGzip } from './unpack.ts';

/** What a text of user data is. */
export type Form = 'documents' | 'cloud-config' | 'ignition' | 'multipart' | 'gzip';

export type Recognised =
  | { readonly ok: true; readonly form: Form }
  | { readonly ok: false; readonly state: string; readonly hint: string };

const noShell = 'say what the script would do in documents of the machine config, or run it as a pod';

/** First lines by which cloud-init tells other texts, and why a node takes none of these. */
const refusedStarts: readonly (readonly [start: RegExp, state: string, hint: string])[] = [
  [/^#!/, 'a script, expected a machine config: a node has no shell', noShell],
  [/^#cloud-boothook/, 'a boot hook, expected a machine config: a node has no shell', noShell],
  [/^#(?:part-handler|upstart-job)/, 'a program for cloud-init, expected a machine config', noShell],
  [
    /^#include/,
    'a list of addresses, expected a machine config: a node fetches nothing to learn what it is',
    'put the content into the user data itself',
  ],
  [
    /^#cloud-config-(?:archive|jsonp)/,
    'an archive or patch of cloud-config, expected #cloud-config or a MIME multipart',
    'send the pieces as a MIME multipart ("cloud-init devel make-mime")',
  ],
  [
    /^## template:/,
    'a template, expected a text without one: nothing is filled in on a node',
    'fill the values in before you send it',
  ],
];

/** MIME types that say what a part is; any other general one is told by its text. */
const typed: Readonly<Record<string, Form>> = {
  'text/cloud-config': 'cloud-config',
  'application/vnd.coreos.ignition+json': 'ignition',
  'application/gzip': 'gzip',
  'application/x-gzip': 'gzip',
};
const untyped = [
  'text/plain',
  'text/yaml',
  'text/x-yaml',
  'application/yaml',
  'application/x-yaml',
  'application/json',
  'application/octet-stream',
];

/** The types a part of a MIME multipart may have. */
export const partTypes: readonly string[] = [...untyped, ...Object.keys(typed)];

/** recogniseType tells what a MIME part is: by its type, or by its text when the type is a general one. */
export function recogniseType(type: string, bytes: Uint8Array): Recognised {
  const form = Object.hasOwn(typed, type) ? typed[type] : undefined;
  if (form) return { ok: true, form };
  if (untyped.includes(type)) return recognise(bytes);
  const shown = type.replaceAll(/[^ -~]/g, '?').slice(0, 80);
  const hint = /shellscript|boothook|part-handler|upstart/.test(type)
    ? noShell
    : `give the part one of the types ${partTypes.join(', ')}`;
  return { ok: false, state: `a part of type ${shown}, which a node cannot honour`, hint };
}

/** recognise tells what user data is by its first bytes, as cloud-init and Ignition do. */
export function recognise(bytes: Uint8Array): Recognised {
  if (isGzip(bytes)) return { ok: true, form: 'gzip' };
  const start = Buffer.from(bytes.subarray(0, 256)).toString('latin1');
  for (const [pattern, state, hint] of refusedStarts)
    if (pattern.test(start)) return { ok: false, state, hint };
  if (/^#cloud-config[ \t]*(?:\r?\n|$)/.test(start)) return { ok: true, form: 'cloud-config' };
  if (isMultipart(start)) return { ok: true, form: 'multipart' };
  if (/^\s*\{/.test(start) && saysIgnition(bytes)) return { ok: true, form: 'ignition' };
  if (bytes.length > 64 && /^[A-Za-z0-9+/\r\n]+={0,2}\s*$/.test(start))
    return {
      ok: false,
      state: 'base64, expected the text itself',
      hint: 'give the platform the text itself: nothing takes the base64 away on the way',
    };
  return { ok: true, form: 'documents' };
}

/** A JSON text with the key that every Ignition config has; documents of ours may be JSON too. */
function saysIgnition(bytes: Uint8Array): boolean {
  const checked = checkText(bytes, '');
  if (!checked.ok) return false;
  try {
    const [first] = [...parseAllDocuments(checked.text, { uniqueKeys: false, version: '1.2' })];
    return first !== undefined && isMap(first.contents) && first.contents.has('ignition');
  } catch {
    return false;
  }
}
