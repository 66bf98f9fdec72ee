import type { Diagnostic, ParsedDocument } from '@plinth/base';
import { API_VERSION, type MachineConfig } from '../machine-config.ts';
import { LIMITS } from '../parse/limits.ts';
import { joinSections, readStream } from '../parse/parse-config.ts';
import type { ReadSections, Section } from '../parse/read-sections.ts';
import { writeConfig } from '../write-config.ts';
import { CARRIED_CONFIG } from './carried-file.ts';
import { readCloudConfig } from './cloud-config.ts';
import { joined } from './foreign-text.ts';
import { type Form, type Recognised, recognise, recogniseType } from './forms.ts';
import { readIgnition } from './ignition.ts';
import { readMultipart } from './multipart.ts';
import { inflate, openRoom, type Room } from './unpack.ts';

/** User data, understood. */
export interface UserData {
  readonly config: MachineConfig;
  /** What it was: documents of ours, or what they were made from. */
  readonly form: Form;
  /** The config as documents of ours: byte for byte what was given when it was given so. */
  readonly documents: Uint8Array;
}

/**
 * readUserData reads what a machine was given when it was made: documents of ours, #cloud-config, an Ignition config of
 * specification 3, a MIME multipart of these, each also as gzip. Everything in it is honoured or told, with line and
 * column; nothing is left out. Limits come first, and hold for what is unpacked too. Codes: config/too-large,
 * config/invalid.
 * @param file name shown in diagnostics: where the user data comes from
 * @param beside what stands beside the user data, on a config drive, given what the user data itself says
 */
export function readUserData(
  bytes: Uint8Array,
  file: string,
  beside: (given: readonly Section[]) => ReadSections = () => ({ sections: [], diagnostics: [] }),
): ParsedDocument<UserData> {
  const room = openRoom();
  const outer = bytes.length > LIMITS.bytes ? undefined : recognise(bytes);
  const unpacked = outer?.ok && outer.form === 'gzip' ? inflate(bytes, room) : undefined;
  if (unpacked && !unpacked.ok)
    return { ok: false, diagnostics: [whole(file, unpacked.state, unpacked.code)] };
  const text = unpacked?.bytes ?? bytes;
  const inner = unpacked ? recognise(text) : outer;
  const form = inner?.ok ? inner.form : 'documents';
  const read = inner ? readPart(text, file, inner, room) : readStream(text, file);
  const more = beside(read.sections);
  const config = joinSections(joined([read, more]), file);
  if (!config.ok)
    return {
      ok: false,
      diagnostics: form === 'documents' ? config.diagnostics : advised(config.diagnostics),
    };
  const own = form === 'documents' && more.sections.length === 0;
  const documents = own ? text : Buffer.from(writeConfig(config.value));
  return { ok: true, value: { config: config.value, form, documents } };
}

function readPart(bytes: Uint8Array, file: string, recognised: Recognised, room: Room): ReadSections {
  if (!recognised.ok) return failed(whole(file, recognised.state, 'config/invalid', recognised.hint));
  switch (recognised.form) {
    case 'documents':
      return readStream(bytes, file);
    case 'cloud-config':
      return readCloudConfig(bytes, file, room);
    case 'ignition':
      return readIgnition(bytes, file, room);
    case 'multipart':
      return readParts(bytes, file, room);
    case 'gzip':
      return failed(whole(file, 'gzip within gzip, expected text', 'config/invalid'));
  }
}

function readParts(bytes: Uint8Array, file: string, room: Room): ReadSections {
  const message = readMultipart(Buffer.from(bytes).toString('latin1'));
  if (!message.ok) return failed(whole(file, message.state, message.code));
  return joined(
    message.parts.map(({ type, name, bytes: packed }, index) => {
      const where = `${file}, part ${index + 1}${name && ` (${name})`}`;
      const outer = recogniseType(type, packed);
      if (!outer.ok || outer.form !== 'gzip') return readInner(packed, where, outer, room);
      const unpacked = inflate(packed, room);
      if (!unpacked.ok) return failed(whole(where, unpacked.state, unpacked.code));
      return readInner(unpacked.bytes, where, recognise(unpacked.bytes), room);
    }),
  );
}

function readInner(bytes: Uint8Array, file: string, recognised: Recognised, room: Room): ReadSections {
  if (recognised.ok && recognised.form === 'multipart')
    return failed(
      whole(file, 'a multipart within a multipart, expected parts side by side', 'config/invalid'),
    );
  return readPart(bytes, file, recognised, room);
}

/** Tells where what is missing can be said: other systems have no words for it. */
function advised(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics.map((each) => {
    const [, kind] = /: no document of kind (\w+), expected one$/.exec(each.message) ?? [];
    if (kind === undefined || each.hint !== undefined) return each;
    return {
      ...each,
      hint: `add a document "apiVersion: ${API_VERSION}, kind: ${kind}": as a part of a MIME multipart, or in the file ${CARRIED_CONFIG} of write_files or storage.files`,
    };
  });
}

function whole(file: string, state: string, code: Diagnostic['code'], hint?: string): Diagnostic {
  return {
    severity: 'error',
    code,
    message: `Cannot read ${file}: ${state}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

function failed(diagnostic: Diagnostic): ReadSections {
  return { sections: [], diagnostics: [diagnostic] };
}
