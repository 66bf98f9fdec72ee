import type { ConnectRouter } from '@connectrpc/connect';
import { openIssuerKeys } from './issuer-keys.ts';
import type { OidcSettings } from './judge-claims.ts';
import { loginService } from './login-service.ts';
import { openSessionAuthority } from './session-authority.ts';

/** How people log in to this node. */
export interface NodeLogin {
  /** Vouches for those who did, beside the authorities of the config. */
  readonly authorityPem: string;
  readonly routes: (router: ConnectRouter) => void;
}

/** openLogin is the login of a node whose config names an issuer; undefined where it names none. */
export async function openLogin(
  settings: OidcSettings | undefined,
  { nodeId, nowMs }: { readonly nodeId: string; readonly nowMs: () => number },
): Promise<NodeLogin | undefined> {
  if (!settings) return undefined;
  const authority = await openSessionAuthority(nodeId, nowMs());
  return {
    authorityPem: authority.certificatePem,
    routes: loginService({ settings, authority, nowMs, keys: openIssuerKeys(settings) }),
  };
}
