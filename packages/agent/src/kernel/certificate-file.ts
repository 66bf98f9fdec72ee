import { X509Certificate } from 'node:crypto';
import { parse } from 'yaml';
import { z } from 'zod';
import { readText, type Sys } from '../sys/sys.ts';

const kubeconfig = z.object({
  users: z
    .array(z.object({ user: z.object({ 'client-certificate-data': z.base64().max(64 * 1024) }) }))
    .min(1),
});

/**
 * readCertificate reads the first certificate of a PEM file or of a kubeconfig ("….conf"). Nothing else of the file is kept:
 * keys lie there.
 */
export async function readCertificate(
  sys: Pick<Sys, 'readFile'>,
  path: string,
): Promise<X509Certificate | 'absent' | 'unreadable'> {
  const text = await readText(sys, path);
  if (text === undefined) return 'absent';
  try {
    return new X509Certificate(path.endsWith('.conf') ? embedded(text) : onlyCertificate(text));
  } catch {
    return 'unreadable';
  }
}

function embedded(text: string): Buffer {
  const data = kubeconfig.parse(parse(text)).users[0]?.user['client-certificate-data'] ?? '';
  return Buffer.from(data, 'base64');
}

function onlyCertificate(text: string): string {
  return /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text)?.[0] ?? '';
}
