import { text } from 'node:stream/consumers';
import type { JSONWebKeySet } from 'jose';
import { judgeClaims, type OidcSettings } from '../judge-claims.ts';
import { openSessionAuthority, readHolderKey } from '../session-authority.ts';
import { verifyToken } from '../verify-token.ts';

// A program: what a login does to a token, in a runtime with the flags of plinthd. Its order comes on the standard input.

interface Order {
  readonly token: string;
  readonly spki: string;
  readonly settings: OidcSettings;
  readonly keys: JSONWebKeySet;
}

const order = JSON.parse(await text(process.stdin)) as Order;
const holder = readHolderKey(Buffer.from(order.spki, 'base64'));
const keys = { get: async () => order.keys };
const startedMs = performance.now();
const claims = await verifyToken(order.token, holder, order.settings, keys, Date.now());
const verdict = judgeClaims(claims, order.settings);
const authority = await openSessionAuthority('0'.repeat(32), Date.now());
const made = await authority.issue({
  ...{ commonName: verdict.ok ? verdict.name : '', role: verdict.ok ? verdict.role : '', publicKey: holder },
  ...{ notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3600_000 },
});
const answer = {
  ...made,
  authorityPem: authority.certificatePem,
  durationMs: performance.now() - startedMs,
  rssBytes: process.memoryUsage.rss(),
};
process.stdout.write(JSON.stringify(answer));
