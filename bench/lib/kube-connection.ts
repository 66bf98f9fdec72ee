import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';
import { interrupted } from './interrupted.ts';

/** Whom an API server is asked by, and as whom. PEM. */
export interface KubeServer {
  readonly port: number;
  /** undefined: whoever answers is believed, as in the first step of kubeadm's discovery. */
  readonly caPem?: string | undefined;
  readonly token?: string;
  readonly certificatePem?: string;
  readonly keyPem?: string;
}

/** One node's connections to an API server on loopback: one for its calls and, while it watches, a second one. */
export interface KubeConnection extends Disposable {
  call(method: string, path: string, body?: object, contentType?: string): Promise<unknown>;
  /** Gives what `pick` finds in the object, now or after a change. `path` names one object by a field selector. */
  watch<T>(path: string, pick: (object: unknown) => T | undefined): Promise<T>;
}

/** More than a silent watch takes. */
const TIMEOUT_MS = 330_000;

/** openKubeConnection connects as a kubelet does: its own TLS session, kept for the calls that follow. */
export function openKubeConnection({ port, caPem, token, ...identity }: KubeServer): KubeConnection {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 2,
    ca: caPem,
    rejectUnauthorized: caPem !== undefined,
    ...(identity.certificatePem !== undefined && { cert: identity.certificatePem, key: identity.keyPem }),
  });
  const open = (method: string, path: string, body?: object, contentType = 'application/json') =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers: Record<string, string | number> = { accept: 'application/json' };
      if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
      if (text !== undefined) {
        headers['content-type'] = contentType;
        headers['content-length'] = Buffer.byteLength(text);
      }
      const options = { host: '127.0.0.1', port, agent, method, path, headers, signal: interrupted };
      const sent = request(options, resolve);
      sent.setTimeout(TIMEOUT_MS, () => sent.destroy(new Error(`${method} ${path}: no answer`)));
      sent.once('error', reject);
      sent.end(text);
    });
  const call: KubeConnection['call'] = async (method, path, body, contentType) => {
    const answer = await open(method, path, body, contentType);
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += chunk;
    const status = answer.statusCode ?? 0;
    if (status >= 200 && status < 300) return JSON.parse(text) as unknown;
    throw new Error(`${method} ${path.split('?')[0]}: status ${status} ${text.slice(0, 300)}`);
  };
  return {
    call,
    async watch(path, pick) {
      for (;;) {
        const list = (await call('GET', path)) as {
          readonly metadata: { readonly resourceVersion: string };
          readonly items: readonly unknown[];
        };
        for (const item of list.items) {
          const found = pick(item);
          if (found !== undefined) return found;
        }
        // The API server ends a watch after some minutes; then all is read again.
        const from = list.metadata.resourceVersion;
        const answer = await open('GET', `${path}&watch=true&timeoutSeconds=300&resourceVersion=${from}`);
        try {
          for await (const line of createInterface({ input: answer })) {
            const found = pick((JSON.parse(line) as { readonly object: unknown }).object);
            if (found !== undefined) return found;
          }
        } finally {
          answer.destroy();
        }
      }
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}
