import { readUserData, type UserData } from '../user-data/read-user-data.ts';

/** understood reads user data that has to be right. */
export function understood(text: string | Uint8Array): UserData {
  const read = readUserData(Buffer.from(text), 'user data');
  if (!read.ok)
    throw new Error(read.diagnostics.map(({ message, hint }) => `${message} (${hint})`).join('\n'));
  return read.value;
}

/** problemsIn are the problems of user data that cannot be right: "LINE:COLUMN PATH message; hint". */
export function problemsIn(text: string | Uint8Array): readonly string[] {
  const read = readUserData(Buffer.from(text), 'user data');
  if (read.ok) return [];
  return read.diagnostics.map(
    ({ span, path, message, hint }) =>
      `${span ? `${span.line}:${span.column} ` : ''}${path ?? '-'} ${message}${hint ? `; ${hint}` : ''}`,
  );
}

/** multipart is a MIME message of parts given by their type, as cloud-init's own tool makes it. */
export function multipart(
  ...parts: readonly (readonly [type: string, text: string, encoding?: string])[]
): string {
  const boundary = '===============1234567890==';
  const pieces = parts.map(
    ([type, text, encoding]) =>
      `--${boundary}\nContent-Type: ${type}; charset="utf-8"\nMIME-Version: 1.0\n${
        encoding ? `Content-Transfer-Encoding: ${encoding}\n` : ''
      }Content-Disposition: attachment; filename="part.txt"\n\n${text}\n`,
  );
  return `Content-Type: multipart/mixed; boundary="${boundary}"\nMIME-Version: 1.0\nNumber-Attachments: ${parts.length}\n\n${pieces.join('')}--${boundary}--\n`;
}
