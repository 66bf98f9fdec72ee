/** How to reach an API server, and as whom. Secrets: never logged, never in an error. */
export interface ClusterAccess {
  readonly server: URL;
  readonly serverName: string | undefined;
  /** PEM; undefined: the authorities of this computer. */
  readonly authorityPem: string | undefined;
  /** The kubeconfig says that the server's certificate is not to be checked. */
  readonly isUnchecked: boolean;
  readonly certificatePem: string | undefined;
  readonly keyPem: string | undefined;
  readonly token: string | undefined;
  /** A file with the token, which is replaced before it ends; `token` is what it held when it was read. */
  readonly tokenFile: string | undefined;
}
