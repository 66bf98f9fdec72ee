import { PlinthError } from '@plinth/base';
import { concatBytes } from '@plinth/formats';
import { type COMMAND, HANDLE, TAG } from './constants.ts';
import { TpmReader } from './tpm-reader.ts';
import { u8, u16, u32 } from './tpm-writer.ts';

/** Sends one command to a TPM and gives its answer. */
export type Transmit = (command: Uint8Array) => Promise<Uint8Array>;

/** A command before it is bytes (TPM 2.0 part 1, 18). */
export interface Command {
  readonly name: keyof typeof COMMAND;
  readonly code: number;
  readonly handles?: readonly number[];
  /** Sessions that authorise the handles, in their order; a password session has the empty password. */
  readonly sessions?: readonly number[];
  readonly parameters: readonly Uint8Array[];
  /** Whether the answer begins with a handle. */
  readonly givesHandle?: boolean;
}

/** What a TPM answered to a command that it carried out. */
export interface Answer {
  readonly handle: number;
  readonly parameters: TpmReader;
}

/** Codes that say "again": the TPM is at its self-test, or yields. */
const AGAIN: ReadonlySet<number> = new Set([0x908, 0x90a, 0x922]);
const ATTEMPTS = 5;
const HEADER_BYTES = 10;
const ANSWER_LIMIT_BYTES = 4096;

/**
 * runCommand sends a command and takes its answer apart.
 * @throws attest/tpm-refused with the TPM's own code; attest/structure-invalid, formats/truncated; what `transmit` throws
 */
export async function runCommand(transmit: Transmit, command: Command): Promise<Answer> {
  const bytes = encodeCommand(command);
  for (let attempt = 1; ; attempt++) {
    const answer = await transmit(bytes);
    const reader = new TpmReader(answer, `answer of the TPM to ${command.name}`);
    const [tag, sizeBytes, code] = [reader.u16(), reader.u32(), reader.u32()];
    if (AGAIN.has(code) && attempt < ATTEMPTS) continue;
    if (code !== 0) throw refused(command, code);
    if (sizeBytes !== answer.length || sizeBytes > ANSWER_LIMIT_BYTES) {
      throw reader.fault(`${answer.length} bytes that announce ${sizeBytes}, expected as many`);
    }
    const handle = command.givesHandle ? reader.u32() : 0;
    if (tag !== TAG.sessions) return { handle, parameters: reader };
    const parameters = reader.take(reader.u32());
    return { handle, parameters: new TpmReader(parameters, `answer of the TPM to ${command.name}`) };
  }
}

function encodeCommand({ code, handles = [], sessions = [], parameters }: Command): Uint8Array {
  // A policy session stays until it is flushed or its file is closed; an empty nonce and no HMAC, for the policy
  // holds no secret.
  const area = concatBytes(
    sessions.map((session) =>
      concatBytes([u32(session), u16(0), u8(session === HANDLE.password ? 0 : 1), u16(0)]),
    ),
  );
  const body = concatBytes([
    ...handles.map(u32),
    ...(sessions.length > 0 ? [u32(area.length), area] : []),
    ...parameters,
  ]);
  const tag = sessions.length > 0 ? TAG.sessions : TAG.noSessions;
  return concatBytes([u16(tag), u32(HEADER_BYTES + body.length), u32(code), body]);
}

/** What the codes that a person can do something about mean (part 2, 6.6); "format one" codes without parameter and session numbers. */
const MEANINGS: ReadonlyMap<number, string> = new Map([
  [0x08b, 'a handle is not what it should be'],
  [0x09f, 'a credential is not for this TPM or not for this key'],
  [0x0a2, 'the hierarchy has a password'],
  [0x098, 'an authorisation was refused'],
  [0x085, 'the hierarchy is disabled'],
  [0x18b, 'it does not exist'],
  [0x921, 'it is locked after too many wrong passwords'],
]);

function refused({ name }: Command, code: number): PlinthError {
  const plain = code & 0x80 ? code & 0x0bf : code;
  const meaning = MEANINGS.get(plain) ?? MEANINGS.get(code);
  const shown = `0x${code.toString(16)}${meaning === undefined ? '' : `, ${meaning}`}`;
  return new PlinthError('attest/tpm-refused', `Cannot carry out ${name}: the TPM answers ${shown}`, {
    details: { command: name, code },
  });
}
