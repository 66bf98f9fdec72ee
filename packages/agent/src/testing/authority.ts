import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What a client shows to a node. */
export interface ClientCredentials {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface ClientOptions {
  readonly commonName?: string;
  /** Organisations, in order; default one reader. */
  readonly organisations?: readonly string[];
  /** End of validity, YYYYMMDDHHMMSSZ; default far away. */
  readonly notAfter?: string;
  readonly usage?: 'clientAuth' | 'serverAuth';
}

/** An authority for client certificates, made by the openssl program: another hand than the code under test. */
export interface TestAuthority extends Disposable {
  readonly certificatePem: string;
  readonly keyPem: string;
  issue(options?: ClientOptions): ClientCredentials;
}

const P256 = ['EC', '-pkeyopt', 'ec_paramgen_curve:P-256'];

/** @param algorithm of the authority's own key, in the words of openssl genpkey */
export function makeAuthority(name = 'test authority', algorithm: readonly string[] = P256): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-ca-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const newKey = (file: string, kind = P256) => openssl('genpkey', '-algorithm', ...kind, '-out', file);
  newKey('ca.key', [...algorithm]);
  openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    'ca.key',
    '-subj',
    `/CN=${name}`,
    '-days',
    '3650',
    '-out',
    'ca.pem',
  );
  writeFileSync(join(folder, 'index.txt'), '');
  let serial = 1;
  return {
    certificatePem: readFileSync(join(folder, 'ca.pem'), 'utf8'),
    keyPem: readFileSync(join(folder, 'ca.key'), 'utf8'),
    issue({
      commonName = 'alice',
      organisations = ['plinth:reader'],
      notAfter = '20991231235959Z',
      usage = 'clientAuth',
    } = {}) {
      const subject = [...organisations.map((name) => `/O=${name}`), `/CN=${commonName}`].join('');
      newKey('client.key');
      openssl('req', '-new', '-key', 'client.key', '-subj', subject, '-out', 'client.csr');
      writeFileSync(join(folder, 'serial'), `${String(serial++).padStart(4, '0')}\n`);
      writeFileSync(join(folder, 'ca.conf'), authorityConfig(usage));
      openssl(
        'ca',
        '-config',
        'ca.conf',
        '-batch',
        '-notext',
        '-in',
        'client.csr',
        '-out',
        'client.pem',
        '-startdate',
        '20200101000000Z',
        '-enddate',
        notAfter,
      );
      const read = (file: string) => readFileSync(join(folder, file), 'utf8');
      return { certificatePem: read('client.pem'), keyPem: read('client.key') };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function authorityConfig(usage: string): string {
  return `[ca]
default_ca = main
[main]
database = index.txt
new_certs_dir = .
serial = serial
certificate = ca.pem
private_key = ca.key
default_md = sha256
unique_subject = no
policy = any
x509_extensions = client
[any]
organizationName = optional
commonName = optional
[client]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = ${usage}
`;
}
