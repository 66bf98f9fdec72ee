import { execFileSync } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HOST_SEEN_BY_GUEST } from './guest-network.ts';

/** makeRegistryCertificate makes a certificate for a registry on this computer that machines reach; it vouches for itself. */
export async function makeRegistryCertificate(folder: string): Promise<{ cert: string; key: string }> {
  await mkdir(folder, { recursive: true });
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '10'],
      ...['-subj', '/CN=registry of the tests', '-addext', `subjectAltName=IP:${HOST_SEEN_BY_GUEST}`],
      ...['-keyout', 'key.pem', '-out', 'cert.pem'],
    ],
    { cwd: folder, stdio: 'pipe' },
  );
  const read = (name: string) => readFile(join(folder, name), 'utf8');
  return { cert: await read('cert.pem'), key: await read('key.pem') };
}
