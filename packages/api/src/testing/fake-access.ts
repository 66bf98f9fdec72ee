import { createHash } from 'node:crypto';
import { create, fromBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, type ServiceImpl } from '@connectrpc/connect';
import { AUDIT_ORIGIN, auditLineHash } from '../audit-chain.ts';
import type { SignedRevocations } from '../gen/plinth/node/v1/access_pb.ts';
import {
  type AccessService,
  RevocationsSchema,
  SignedRevocationsSchema,
} from '../gen/plinth/node/v1/access_pb.ts';
import type { AuditService } from '../gen/plinth/node/v1/audit_pb.ts';

/** FakeAccess keeps an audit log in memory, and the newest list of revocations it was given. */
export class FakeAccess {
  /** As they are stored; tests may change them. */
  lines: string[] = [];
  revocations: SignedRevocations | undefined;

  /** Adds a line for a call. */
  record(method: string, caller: string, time = '2026-11-22T06:00:00.000Z'): void {
    const last = this.lines.at(-1);
    const prev = last === undefined ? AUDIT_ORIGIN : auditLineHash(last);
    const rest = {
      role: 'plinth:admin',
      certificate: '',
      peer: '192.0.2.9:1',
      arguments: '',
      reason: '',
      sent: 1,
    };
    const call = { time, event: 'api.call', call: 1, method, caller, result: 'ok', durationMs: 3, ...rest };
    this.lines.push(JSON.stringify({ seq: this.lines.length + 1, prev, ...call }));
  }

  readonly audit: Partial<ServiceImpl<typeof AuditService>> = {
    getAuditHead: () => ({
      ...{ sequence: BigInt(this.lines.length), hash: auditLineHash(this.lines.at(-1) ?? '') },
      ...{ firstSequence: 1n, persistent: true, sizeBytes: 1000n, limitBytes: 1_000_000n },
    }),
    readAuditLog: async function* (this: FakeAccess, { fromSequence }: { readonly fromSequence: bigint }) {
      yield { lines: this.lines.slice(Math.max(0, Number(fromSequence) - 1)) };
    }.bind(this),
  };

  readonly access: Partial<ServiceImpl<typeof AccessService>> = {
    getAccess: () => ({
      authorities: [{ subject: 'CN=fake', fingerprint: `sha256:${createHash('sha256').digest('hex')}` }],
      ...(this.revocations && { revocations: this.revocations }),
      persistent: true,
    }),
    putRevocations: ({ revocations }) => {
      if (!revocations) throw new ConnectError('no list', Code.InvalidArgument);
      const { version } = fromBinary(RevocationsSchema, revocations.list);
      const held = this.revocations && fromBinary(RevocationsSchema, this.revocations.list).version;
      if (held !== undefined && held > version) throw new ConnectError('too old', Code.FailedPrecondition);
      const { list, signature } = revocations;
      this.revocations = create(SignedRevocationsSchema, { list, signature });
      return { version, persistent: true, endedConnections: 1 };
    },
  };
}
