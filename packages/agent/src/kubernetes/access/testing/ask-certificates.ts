import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from '@plinth/image/testing';

/** asker asks for certificates as somebody, by kubectl and openssl. */
export function asker(plane: ControlPlane, identity: readonly string[]) {
  return {
    async request(
      folder: string,
      name: string,
      node: string,
      signer: string,
      names?: string,
    ): Promise<string> {
      const keyPath = join(folder, `${name}.key`);
      execFileSync(
        'openssl',
        [
          'req',
          '-new',
          '-newkey',
          'ec',
          '-pkeyopt',
          'ec_paramgen_curve:P-256',
          '-nodes',
          '-keyout',
          keyPath,
          '-out',
          'r.pem',
          '-subj',
          `/O=system:nodes/CN=system:node:${node}`,
          ...(names ? ['-addext', `subjectAltName=${names}`] : []),
        ],
        { cwd: folder, stdio: 'pipe' },
      );
      const file = join(folder, `${name}.json`);
      await writeFile(
        file,
        JSON.stringify({
          apiVersion: 'certificates.k8s.io/v1',
          kind: 'CertificateSigningRequest',
          metadata: { name },
          spec: {
            request: (await readFile(join(folder, 'r.pem'))).toString('base64'),
            signerName: signer,
            usages: ['digital signature', signer.endsWith('serving') ? 'server auth' : 'client auth'],
          },
        }),
      );
      const server = [
        `--server=https://127.0.0.1:${plane.apiPort}`,
        `--certificate-authority=${join(plane.pki, 'ca.crt')}`,
        '--kubeconfig=/dev/null',
      ];
      await plane.run('kubectl', ...server, ...identity, 'create', '--validate=false', '-f', file);
      return keyPath;
    },
  };
}

/** issued is the certificate the controller manager made, PEM. */
export async function issued(plane: ControlPlane, name: string): Promise<string> {
  let found = '';
  await plane.processes.until('kube-controller-manager', async () => {
    found = await plane.kubectl('get', 'csr', name, '-o=jsonpath={.status.certificate}');
    return found !== '';
  });
  return Buffer.from(found, 'base64').toString('latin1');
}
