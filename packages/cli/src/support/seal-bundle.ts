import { PlinthError } from '@plinth/base';
import { Encrypter } from 'age-encryption';

/** Who may open a bundle: public keys of age, "age1…". */
const RECIPIENT = /^age1[0-9a-z]{20,2000}$/;
const RECIPIENTS_LIMIT = 20;

/** parseRecipients reads keys that are separated by commas, spaces or lines; lines with "#" are comments. @throws cli/usage */
export function parseRecipients(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const keys = [
    ...new Set(
      lines
        .join('\n')
        .split(/[\s,]+/)
        .filter((key) => key !== ''),
    ),
  ];
  if (keys.length > RECIPIENTS_LIMIT) throw refuse(`${keys.length} keys`, `at most ${RECIPIENTS_LIMIT}`);
  for (const key of keys) {
    if (/^AGE-SECRET-KEY/i.test(key)) throw refuse('a secret key', 'the public one, "age1…"');
    if (!RECIPIENT.test(key)) throw refuse(JSON.stringify(key.slice(0, 40)), 'a public key of age, "age1…"');
  }
  return keys;
}

/** sealBundle encrypts a bundle to public keys of age (age-encryption.org/v1). @throws cli/usage for a key that is none */
export async function sealBundle(bundle: Uint8Array, recipients: readonly string[]): Promise<Uint8Array> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw refuse(JSON.stringify(recipient.slice(0, 40)), 'a public key of age without a mistake in it');
    }
  }
  return encrypter.encrypt(bundle);
}

function refuse(state: string, expected: string): PlinthError {
  return new PlinthError('cli/usage', `Cannot encrypt the bundle: ${state}, expected ${expected}`);
}
