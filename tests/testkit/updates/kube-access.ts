import { request } from 'node:https';
import type { NodeClient } from '@plinth/api';

/** The API server of a node's cluster, as its administrator sees it from this computer. */
export interface KubeAccess {
  /** Gives the text of an answer with status 200. @param path "/readyz" */
  get(path: string, signal: AbortSignal): Promise<string>;
  /** Makes an object of JSON; gives the status. */
  post(path: string, object: unknown): Promise<number>;
}

/** openKubeAccess takes the administrator's credentials from the node. @param port of the API server on the loopback address */
export async function openKubeAccess(client: NodeClient, port: number): Promise<KubeAccess> {
  const { kubeconfig } = await client.kubernetes.kubeconfig(`https://127.0.0.1:${port}`);
  const field = (name: string) => {
    const value = new RegExp(`"?${name}"?: "?([A-Za-z0-9+/=]+)"?`).exec(kubeconfig)?.[1];
    if (!value) throw new Error(`the kubeconfig has no ${name}`);
    return Buffer.from(value, 'base64');
  };
  const tls = {
    ca: field('certificate-authority-data'),
    cert: field('client-certificate-data'),
    key: field('client-key-data'),
  };
  const call = (method: string, path: string, body: string, signal?: AbortSignal) =>
    new Promise<{ status: number; text: string }>((done, fail) => {
      const asked = request(
        {
          ...{ ...tls, host: '127.0.0.1', port, path, method, agent: false },
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
          ...(signal && { signal }),
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.on('error', fail);
          answer.on('end', () =>
            done({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
          );
        },
      );
      asked.on('error', fail);
      asked.end(body);
    });
  return {
    async get(path, signal) {
      const { status, text } = await call('GET', path, '', signal);
      if (status === 200) return text;
      throw new Error(`${path} answers ${status}: ${text.slice(0, 200)}`);
    },
    post: async (path, object) => (await call('POST', path, JSON.stringify(object))).status,
  };
}
