import { initAdvisoryKey } from '@plinth/advisory';
import { exists } from '@plinth/host';
import { type InitUpdateKeysOptions, initSumsKey, initUpdateKeys } from '@plinth/publish';
import { type InitKeysOptions, initKeys, isUpdateRole, loadKeys, readKeyRingFile } from '@plinth/trust';
import { usageError } from '../framework/usage-error.ts';

/** What a key folder has now, and what of it is new. */
export interface MadeKeys {
  readonly folder: string;
  readonly imageKeys: number;
  readonly updateKeys: number;
  /** False: the image keys were there, and only what was lacking was made. */
  readonly isNew: boolean;
  /** What was made, in words, of a folder that was there: "the update keys". */
  readonly added: readonly string[];
}

/**
 * makeKeys makes a key folder, or what one from before there were update keys lacks. Keys that are there are never touched.
 * @throws trust/keys-exist when nothing is lacking, trust/…, publish/request-invalid, host/…
 */
export async function makeKeys(
  folder: string,
  options: InitKeysOptions,
  sizes: InitUpdateKeysOptions['sizes'],
): Promise<MadeKeys> {
  const isNew = !(await exists(folder));
  const secret = options.passphrase === undefined ? {} : { passphrase: options.passphrase };
  if (isNew) await initKeys(folder, options);
  // A folder has one passphrase: opening the old keys proves it before new ones are encrypted by it.
  else await loadKeys(folder, secret);
  const { ring, made } = await initUpdateKeys(folder, { ...secret, ...(sizes && { sizes }) });
  const madeSumsKey = await initSumsKey(folder, options.passphrase);
  const madeAdvisoryKey = await initAdvisoryKey(folder, options.passphrase);
  const added = [
    ...(made ? [`the ${ring.keys.length} update keys`] : []),
    ...(madeSumsKey ? ['the key for systemd-sysupdate'] : []),
    ...(madeAdvisoryKey ? ['the key for advisories'] : []),
  ];
  // Says that they exist, in the words for that.
  if (added.length === 0) await initKeys(folder, options);
  const { keys } = await readKeyRingFile(folder);
  return { folder, imageKeys: keys.length, updateKeys: ring.keys.length, isNew, added };
}

/** readQuorum reads how many keys of a role must sign: "root=3/5,targets=2/3". @throws cli/usage */
export function readQuorum(text: string | undefined): NonNullable<InitUpdateKeysOptions['sizes']> {
  if (text === undefined) return {};
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [, role = '', threshold, keys] = /^([a-z]+)=(\d{1,3})\/(\d{1,3})$/.exec(part.trim()) ?? [];
      if (isUpdateRole(role)) return [role, { threshold: Number(threshold), keys: Number(keys) }];
      throw usageError(`--quorum has "${part}", expected ROLE=SIGNATURES/KEYS such as root=3/5`);
    }),
  );
}
