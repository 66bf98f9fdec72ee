import { join } from 'node:path';
import type { NodeTarget } from '@plinth/api';
import type { FirmwareCertificates, MachineSpec } from '@plinth/local';
import { exportKeys, issueClientCertificate, loadKeys } from '@plinth/trust';

/** What all machines of a race have in common, so that only what runs on them differs. */
export interface RaceMachine {
  readonly common: Pick<MachineSpec, 'firmware' | 'tpm' | 'durability'> & {
    readonly certificates: FirmwareCertificates;
  };
  /** Folder of the machines. */
  readonly root: string;
  /** Configuration of a Plinth node that obeys the race. */
  readonly machineConfig: string;
  /** What the race proves itself with to such a node. */
  readonly credentials: Pick<NodeTarget, 'clientCertificatePem' | 'clientKeyPem'>;
}

const DAY_SECONDS = 86_400;

/** prepareRaceMachine makes the firmware's certificates and an administrator. @param folder receives certificates and machines */
export async function prepareRaceMachine(keysDir: string, folder: string): Promise<RaceMachine> {
  const keys = await loadKeys(keysDir);
  const authority = keys.signers['api-authority'];
  const admin = await issueClientCertificate(authority, {
    role: 'plinth:admin',
    name: 'bench',
    ttlSeconds: DAY_SECONDS,
  });
  const certificates = join(folder, 'certificates');
  await exportKeys(keysDir, certificates, 'pem');
  const certificate = (role: string) => join(certificates, `${role}.crt`);
  return {
    common: {
      firmware: 'secure-boot',
      certificates: {
        ownerGuid: keys.ownerGuid,
        pk: certificate('platform-key'),
        kek: certificate('key-exchange-key'),
        db: [certificate('boot'), certificate('verity')],
      },
      tpm: true,
      durability: 'throw-away',
    },
    root: join(folder, 'machines'),
    // JSON is YAML, and it quotes a certificate's line breaks.
    machineConfig: JSON.stringify({
      apiVersion: 'plinth.dev/v1alpha1',
      kind: 'MachineConfig',
      metadata: { name: 'bench' },
      api: { clientAuthorities: [authority.certificatePem] },
    }),
    credentials: { clientCertificatePem: admin.certificatePem, clientKeyPem: admin.privateKeyPem },
  };
}
