import { X509Certificate } from 'node:crypto';
import { createSecureServer, type Http2ServerRequest, type ServerHttp2Session } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import type { DescService } from '@bufbuild/protobuf';
import {
  Code,
  ConnectError,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { nodeIdOf } from '../fingerprint.ts';
import { makeCredentials } from './serve-fake-node.ts';

/** The methods of one node, by name; what is not there is not implemented. */
export type NodeMethods = Readonly<Record<string, (request: never, context: HandlerContext) => unknown>>;

/** Many nodes that are served by one process. */
export interface ServedNodes extends AsyncDisposable {
  /** All show the same key: it would take a processor minutes to make thousands. */
  readonly nodeId: string;
  /** Of the server; serves as a client's too. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Ends the connections to one address, as a machine that goes down does. */
  hangUp(address: string): void;
}

const addressKey = createContextKey('', { description: 'address that was called' });

/**
 * serveManyNodes answers at many addresses of loopback and one port: whom a client means is told by the address. @param methodsAt of the node at
 * an address; undefined: it is down
 */
export async function serveManyNodes(
  addresses: readonly string[],
  port: number,
  services: readonly DescService[],
  methodsAt: (address: string) => NodeMethods | undefined,
): Promise<ServedNodes> {
  const { certificatePem, keyPem } = makeCredentials();
  const serve = (name: string) => (request: never, context: HandlerContext) => {
    const methods = methodsAt(context.values.get(addressKey));
    if (!methods) throw new ConnectError('it is down', Code.Unavailable);
    const method = methods[name];
    if (!method) throw new ConnectError('no such method', Code.Unimplemented);
    return method(request, context);
  };
  const adapter = connectNodeAdapter({
    routes: (router) => {
      for (const service of services) {
        const all = service.methods.map(({ localName }) => [localName, serve(localName)]);
        router.service(service, Object.fromEntries(all) as never);
      }
    },
    contextValues: (request) =>
      createContextValues().set(
        addressKey,
        (request as Http2ServerRequest).stream.session?.socket.localAddress ?? '',
      ),
    ...{ connect: false, grpcWeb: false },
  });
  const tls = createSecureServer({ cert: certificatePem, key: keyPem }, adapter);
  const sessions = new Map<string, Set<ServerHttp2Session>>();
  tls.on('session', (session) => {
    const address = session.socket.localAddress ?? '';
    const own = sessions.get(address) ?? new Set();
    sessions.set(address, own.add(session));
    session.on('error', () => undefined);
    session.once('close', () => own.delete(session));
  });
  const servers: Server[] = [];
  for (const address of addresses) {
    const server = createServer((socket: Socket) => {
      socket.on('error', () => socket.destroy());
      if (methodsAt(address)) tls.emit('connection', socket);
      else socket.destroy();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, resolve);
    });
    servers.push(server);
  }
  const hangUp = (address: string) => {
    for (const session of sessions.get(address) ?? []) session.destroy();
  };
  return {
    nodeId: nodeIdOf(new X509Certificate(certificatePem).publicKey),
    ...{ certificatePem, keyPem, hangUp },
    async [Symbol.asyncDispose]() {
      for (const address of sessions.keys()) hangUp(address);
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}
