import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createSecureServer, type ServerHttp2Session } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { createContextKey, createContextValues, type HandlerContext } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { fingerprintOf, nodeIdOf } from '../fingerprint.ts';
import { AccessService } from '../gen/plinth/node/v1/access_pb.ts';
import { AuditService } from '../gen/plinth/node/v1/audit_pb.ts';
import { ContainersService } from '../gen/plinth/node/v1/containers_pb.ts';
import { EtcdService } from '../gen/plinth/node/v1/etcd_pb.ts';
import { FilesService } from '../gen/plinth/node/v1/files_pb.ts';
import { KubernetesService } from '../gen/plinth/node/v1/kubernetes_pb.ts';
import { LogsService } from '../gen/plinth/node/v1/logs_pb.ts';
import { MachineService } from '../gen/plinth/node/v1/machine_pb.ts';
import { NodeService } from '../gen/plinth/node/v1/node_pb.ts';
import { SystemService } from '../gen/plinth/node/v1/system_pb.ts';
import { TunnelService } from '../gen/plinth/node/v1/tunnel_pb.ts';
import { UpdateService } from '../gen/plinth/node/v1/update_pb.ts';
import type { FakeNode } from './fake-node.ts';
import { fakeTunnel } from './fake-tunnel.ts';

/** A fake node that answers on loopback. */
export interface ServedNode extends AsyncDisposable {
  readonly port: number;
  readonly fingerprint: string;
  /** Server certificate and key, which serve as those of a client too. */
  readonly certificatePem: string;
  readonly keyPem: string;
  /** Says on each connection that no new call is taken there, as a node that goes down; calls under way go on. */
  leave(): void;
}

const socketKey = createContextKey<unknown>(undefined);

/** fakeExportKeys derives bytes from the TLS session of a call to a fake node, as a node does for attestation. */
export function fakeExportKeys(
  { values }: HandlerContext,
  lengthBytes: number,
  label: string,
  context: Uint8Array,
): Uint8Array {
  const socket = values.get(socketKey);
  if (!(socket instanceof TLSSocket)) throw new Error('the call came over no TLS session');
  return new Uint8Array(socket.exportKeyingMaterial(lengthBytes, label, Buffer.from(context)));
}

let credentials: { readonly certificatePem: string; readonly keyPem: string } | undefined;

/** serveFakeNode lets a fake node answer over gRPC and TLS on a free port. */
export async function serveFakeNode(node: FakeNode): Promise<ServedNode> {
  credentials ??= makeCredentials();
  const { certificatePem, keyPem } = credentials;
  const adapter = connectNodeAdapter({
    routes: (router) => {
      router.service(NodeService, node.node);
      router.service(KubernetesService, node.kubernetes);
      router.service(EtcdService, node.etcd);
      for (const routes of node.more) routes(router);
      router.service(TunnelService, fakeTunnel(node.name, node.world.peers));
      router.service(MachineService, node.machine.service);
      router.service(UpdateService, node.update.service);
      router.service(SystemService, node.system);
      router.service(LogsService, node.logs.logs);
      router.service(ContainersService, node.logs.containers);
      router.service(FilesService, node.logs.files);
      router.service(AuditService, node.access.audit);
      router.service(AccessService, node.access.access);
    },
    ...{ connect: false, grpcWeb: false },
    contextValues: (request) =>
      createContextValues().set(socketKey, 'stream' in request ? request.stream.session?.socket : undefined),
  });
  const server = createSecureServer({ cert: certificatePem, key: keyPem }, adapter);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('the server has no port');
  const { port } = address;
  const nodeId = nodeIdOf(new X509Certificate(certificatePem).publicKey);
  node.world.peers.set(node.name, {
    ...{ nodeId, port },
    get role() {
      return node.role;
    },
    get labels() {
      return node.labels;
    },
  });
  return {
    port,
    fingerprint: fingerprintOf(Buffer.from(certificatePem.split('-----')[2] ?? '', 'base64')),
    certificatePem,
    keyPem,
    leave: () => {
      for (const session of sessions) session.close();
    },
    [Symbol.asyncDispose]: async () => {
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** makeCredentials makes a key and a certificate that says nothing true. */
export function makeCredentials() {
  const folder = mkdtempSync(join(tmpdir(), 'plinth-fake-node-'));
  try {
    const subject = ['-subj', '/O=plinth:admin/CN=node', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'key.pem'];
    execFileSync('openssl', ['req', '-x509', ...key, '-days', '2', ...subject, '-out', 'cert.pem'], {
      ...{ cwd: folder, stdio: 'pipe' },
    });
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    return { certificatePem: read('cert.pem'), keyPem: read('key.pem') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
