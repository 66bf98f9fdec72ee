import { readFile } from 'node:fs/promises';
import { type AdvisoryPolicy, defaultPolicy, parsePolicy } from '@plinth/advisory';
import { ioError } from '@plinth/host';

/** readPolicy reads a policy, or gives the usual one. @throws advisory/policy-invalid, host/io */
export async function readPolicy(path: string | undefined): Promise<AdvisoryPolicy> {
  if (path === undefined) return defaultPolicy;
  const text = await readFile(path, 'utf8').catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
  return parsePolicy(text, path);
}
