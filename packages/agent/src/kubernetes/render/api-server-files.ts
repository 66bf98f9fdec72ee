import { randomBytes } from 'node:crypto';
import { PlinthError } from '@plinth/base';
import { stringify } from 'yaml';
import { FOLDER } from '../paths.ts';
import type { RenderedFile } from '../settings.ts';

const API_SERVER = `${FOLDER}/api-server`;
/** EncryptionConfiguration of the API servers: secret, and the same on every control plane. */
export const ENCRYPTION_CONFIG = `${API_SERVER}/encryption.yaml`;
const ENCRYPTION_LIMIT_BYTES = 16 * 1024;

/** Pods of plinth's own parts need the host; everything else is held to the "baseline" profile. */
const EXEMPT_NAMESPACES = ['kube-system'];

/**
 * What may be asked without a name: how the server is, for the kubelet's probes, and the cluster's public facts, which
 * kubeadm reads and verifies by a token before a node joins.
 */
const ANONYMOUS_PATHS = [
  '/livez',
  '/readyz',
  '/healthz',
  '/api/v1/namespaces/kube-public/configmaps/cluster-info',
];

/** apiServerFiles are the files an API server reads, as the same text on every control plane. */
export function apiServerFiles(): RenderedFile[] {
  return [
    [`${API_SERVER}/admission.yaml`, stringify(admission)],
    [`${API_SERVER}/audit-policy.yaml`, stringify(auditPolicy)],
    [`${API_SERVER}/authentication.yaml`, stringify(authentication)],
  ];
}

/** newEncryptionConfig makes a new key that Secrets are stored under. */
export function newEncryptionConfig(): string {
  return stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [
      {
        resources: ['secrets'],
        providers: [
          { secretbox: { keys: [{ name: 'plinth-1', secret: randomBytes(32).toString('base64') }] } },
          // What is not encrypted is still read, and encrypted when it is written again.
          { identity: {} },
        ],
      },
    ],
  });
}

/** checkEncryptionConfig looks at one that came with an invitation. @throws kubernetes/invitation-refused */
export function checkEncryptionConfig(text: string): void {
  const fits = text.length <= ENCRYPTION_LIMIT_BYTES && /^kind: EncryptionConfiguration$/m.test(text);
  if (!fits)
    throw new PlinthError(
      'kubernetes/invitation-refused',
      'Cannot use the invitation: it has no EncryptionConfiguration, expected the one of the control planes',
    );
}

const authentication = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AuthenticationConfiguration',
  anonymous: { enabled: true, conditions: ANONYMOUS_PATHS.map((path) => ({ path })) },
};

const admission = {
  apiVersion: 'apiserver.config.k8s.io/v1',
  kind: 'AdmissionConfiguration',
  plugins: [
    {
      name: 'PodSecurity',
      configuration: {
        apiVersion: 'pod-security.admission.config.k8s.io/v1',
        kind: 'PodSecurityConfiguration',
        defaults: {
          enforce: 'baseline',
          'enforce-version': 'latest',
          audit: 'restricted',
          'audit-version': 'latest',
          warn: 'restricted',
          'warn-version': 'latest',
        },
        exemptions: { usernames: [], runtimeClasses: [], namespaces: EXEMPT_NAMESPACES },
      },
    },
  ],
};

const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  omitManagedFields: true,
  // The first rule that fits decides.
  rules: [
    { level: 'None', nonResourceURLs: ['/healthz*', '/livez*', '/readyz*', '/version'] },
    { level: 'None', resources: [{ group: 'coordination.k8s.io', resources: ['leases'] }] },
    { level: 'None', resources: [{ group: '', resources: ['events'] }, { group: 'events.k8s.io' }] },
    { level: 'None', userGroups: ['system:nodes'], verbs: ['get', 'list', 'watch'] },
    // What the control plane reads to do its work.
    {
      level: 'None',
      users: ['system:kube-controller-manager', 'system:kube-scheduler', 'system:apiserver'],
      verbs: ['get', 'list', 'watch'],
    },
    // Never the content of secrets, tokens and certificate requests.
    {
      level: 'Metadata',
      resources: [
        { group: '', resources: ['secrets', 'configmaps', 'serviceaccounts/token'] },
        { group: 'authentication.k8s.io', resources: ['tokenreviews'] },
        { group: 'certificates.k8s.io', resources: ['certificatesigningrequests'] },
      ],
    },
    // What lets a person into a pod, and who may do what.
    {
      level: 'Request',
      resources: [
        {
          group: '',
          resources: ['pods/exec', 'pods/attach', 'pods/portforward', 'pods/ephemeralcontainers'],
        },
        { group: 'rbac.authorization.k8s.io' },
      ],
      verbs: ['create', 'update', 'patch', 'delete', 'deletecollection', 'get'],
    },
    { level: 'Metadata' },
  ],
};
