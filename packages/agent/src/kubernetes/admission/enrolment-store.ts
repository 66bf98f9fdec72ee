import {
  ENROLMENT_KEY,
  ENROLMENT_LABEL,
  type Enrolment,
  enrolmentName,
  formatEnrolment,
  parseEnrolment,
} from '@plinth/attest';
import { z } from 'zod';
import { isRefusal, type KubeClient } from '../access/kube-client.ts';

// The book of a cluster about the TPMs of its nodes: a ConfigMap for each, beside the records of members, and like them
// never on a Node, which its kubelet may change.

const CONFIG_MAPS = '/api/v1/namespaces/kube-system/configmaps';

const schema = z.object({ data: z.object({ [ENROLMENT_KEY]: z.string() }) });

/** findEnrolment gives what the cluster knows of the TPM of a node. Errors: attest/book-invalid; see KubeClient. */
export async function findEnrolment(client: KubeClient, nodeName: string): Promise<Enrolment | undefined> {
  const name = enrolmentName(nodeName);
  const found = await client.find(`${CONFIG_MAPS}/${name}`, schema);
  return found && parseEnrolment(found.data[ENROLMENT_KEY], `the ConfigMap ${name}`);
}

/** keepEnrolment makes or renews what the cluster knows of a TPM. Errors: see KubeClient. */
export async function keepEnrolment(client: KubeClient, enrolment: Enrolment): Promise<void> {
  const name = enrolmentName(enrolment.nodeName);
  const data = { [ENROLMENT_KEY]: formatEnrolment(enrolment) };
  try {
    await client.create(CONFIG_MAPS, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: 'kube-system', labels: { [ENROLMENT_LABEL]: 'node' } },
      data,
    });
  } catch (reason) {
    if (!isRefusal(reason, 409)) throw reason;
    await client.patch(`${CONFIG_MAPS}/${name}`, { data });
  }
}

/** forgetEnrolment ends what the cluster knows of the TPM of a node; fine when it knows nothing. Errors: see KubeClient. */
export async function forgetEnrolment(client: KubeClient, nodeName: string): Promise<void> {
  await client.remove(`${CONFIG_MAPS}/${enrolmentName(nodeName)}`);
}
