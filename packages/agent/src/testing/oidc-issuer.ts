import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Configuration, JWK } from 'oidc-provider';
import { makeAuthority } from './authority.ts';

/** Somebody whom the issuer of tests knows. */
export interface IssuerAccount {
  readonly id: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly groups?: readonly string[];
}

/** An OpenID Connect issuer on loopback: the server of oidc-provider, over TLS. */
export interface TestIssuer extends AsyncDisposable {
  readonly issuer: string;
  readonly port: number;
  /** Vouches for its server. */
  readonly authorityPem: string;
  /** How often its keys were asked for. */
  keysAsked(): number;
  /** A person enters the code that a client shows; `withNonce`: as issuers do that put it into the token. */
  approve(userCode: string, accountId: string, withNonce?: boolean): Promise<void>;
  /**
   * The device flow of RFC 8628 as a client and a person do it: gives the ID token.
   * @param nonce put into the token, as issuers do that know one there; absent: none
   */
  tokenFor(accountId: string, nonce?: string): Promise<string>;
  /** A person declines. */
  decline(userCode: string): Promise<void>;
  /** It is away; later it is back at the same address. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface TestIssuerOptions {
  readonly accounts: readonly IssuerAccount[];
  /** Private keys it signs with, the first one first. */
  readonly keys: readonly JWK[];
  /** How long its ID tokens are valid; default one hour. */
  readonly tokenSeconds?: number;
  readonly clientId?: string;
  /** What it is called; it then listens on 127.0.0.1, and who asks it has to know the way. Default: localhost. */
  readonly hostName?: string;
}

const STATIC = 'plinth';

/** startIssuer starts a real issuer with one public client that has the device flow (RFC 8628) only. */
export async function startIssuer(options: TestIssuerOptions): Promise<TestIssuer> {
  // Loaded only by the tests that log in: it brings a web framework.
  const { Provider } = await import('oidc-provider');
  const clientId = options.clientId ?? STATIC;
  const hostName = options.hostName ?? 'localhost';
  const address = options.hostName === undefined ? 'localhost' : '127.0.0.1';
  const authority = makeAuthority('issuer authority');
  const { certificatePem: cert, keyPem: key } = authority.issue({
    ...{ commonName: hostName, organisations: [], usage: 'serverAuth' },
  });
  let asked = 0;
  let port = 0;
  let provider: InstanceType<typeof Provider>;
  let server = newServer();

  function newServer() {
    return createServer({ cert, key }, (request, response) => {
      if (request.url?.startsWith('/jwks')) asked++;
      void provider.callback()(request, response);
    });
  }
  const listen = () => new Promise<void>((resolve) => server.listen(port, address, resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });

  const make = (keys: readonly JWK[]) => {
    const configuration: Configuration = {
      clients: [
        {
          client_id: clientId,
          token_endpoint_auth_method: 'none',
          grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
          response_types: [],
          redirect_uris: [],
          id_token_signed_response_alg: keys[0]?.kty === 'EC' ? 'ES256' : 'RS256',
        },
      ],
      enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
      jwks: { keys: [...keys] },
      scopes: ['openid', 'profile', 'email', 'groups'],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'], profile: ['name'] },
      // ID tokens carry the claims of the scopes, as those of the common issuers do.
      conformIdTokenClaims: false,
      features: { deviceFlow: { enabled: true }, devInteractions: { enabled: false } },
      ttl: { IdToken: options.tokenSeconds ?? 3600, DeviceCode: 600, AccessToken: 600, Grant: 3600 },
      cookies: { keys: ['of the tests'] },
      findAccount: (_context, id) => {
        const account = options.accounts.find((each) => each.id === id);
        if (!account) return undefined;
        return {
          accountId: id,
          claims: () => ({
            sub: id,
            ...(account.email !== undefined && {
              email: account.email,
              email_verified: account.emailVerified ?? false,
            }),
            ...(account.groups && { groups: [...account.groups] }),
          }),
        };
      },
    };
    return new Provider(`https://${hostName}:${port}`, configuration);
  };

  // The port is part of the issuer's name, so it has to be known first.
  await listen();
  port = (server.address() as AddressInfo).port;
  provider = make(options.keys);

  const codeOf = async (userCode: string) => {
    const code = await provider.DeviceCode.findByUserCode(userCode.replaceAll('-', ''));
    if (!code) throw new Error(`no device waits with the code ${userCode}`);
    return code;
  };

  const post = (path: string, form: Readonly<Record<string, string>>) =>
    new Promise<Record<string, string>>((resolve, reject) => {
      const headers = { host: `${hostName}:${port}`, 'content-type': 'application/x-www-form-urlencoded' };
      const where = { host: address, port, servername: hostName, ca: authority.certificatePem };
      const sent = request({ ...where, method: 'POST', path, headers, agent: false }, (answer) => {
        json(answer).then((value) => resolve(value as Record<string, string>), reject);
      });
      sent.once('error', reject);
      sent.end(new URLSearchParams(form).toString());
    });
  const approve = async (userCode: string, accountId: string, withNonce = false): Promise<void> => {
    const code = await codeOf(userCode);
    const scopes = String(code.params?.['scope'] ?? 'openid');
    const grant = new provider.Grant({ accountId, clientId });
    grant.addOIDCScope(scopes);
    Object.assign(code, {
      ...{ accountId, grantId: await grant.save(), scope: scopes, authTime: Math.floor(Date.now() / 1000) },
      ...(withNonce && { nonce: code.params?.['nonce'] }),
    });
    await code.save();
  };

  return {
    issuer: `https://${hostName}:${port}`,
    port,
    authorityPem: authority.certificatePem,
    keysAsked: () => asked,
    approve,
    async tokenFor(accountId, nonce) {
      const begun = await post('/device/auth', {
        ...{ client_id: clientId, scope: 'openid groups email' },
        ...(nonce !== undefined && { nonce }),
      });
      await approve(begun['user_code'] ?? '', accountId, nonce !== undefined);
      const answer = await post('/token', {
        ...{ client_id: clientId, device_code: begun['device_code'] ?? '' },
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      });
      return answer['id_token'] ?? '';
    },
    async decline(userCode) {
      const code = await codeOf(userCode);
      Object.assign(code, { error: 'access_denied', errorDescription: 'declined' });
      await code.save();
    },
    stop: close,
    async start() {
      server = newServer();
      await listen();
    },
    async [Symbol.asyncDispose]() {
      await close();
      authority[Symbol.dispose]();
    },
  };
}
