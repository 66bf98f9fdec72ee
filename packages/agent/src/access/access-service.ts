import { create } from '@bufbuild/protobuf';
import { timestampFromDate } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ConnectRouter, type ServiceImpl } from '@connectrpc/connect';
import {
  AccessService,
  fingerprintOf,
  GetAccessResponseSchema,
  PutRevocationsResponseSchema,
} from '@plinth/api';
import type { NodeAccess } from './open-access.ts';

/**
 * accessService gives the routes of plinth.node.v1.AccessService.
 * @param recheck looks at every open connection anew and gives how many it ended
 */
export function accessService(access: NodeAccess, recheck: () => number): (router: ConnectRouter) => void {
  const routes: ServiceImpl<typeof AccessService> = {
    getAccess() {
      const revocations = access.current()?.signed;
      return create(GetAccessResponseSchema, {
        authorities: access.authorities.map(({ subject, raw, validToDate }) => ({
          subject: subject.replaceAll('\n', ', '),
          fingerprint: fingerprintOf(raw),
          notAfter: timestampFromDate(validToDate),
        })),
        ...(revocations && { revocations }),
        persistent: access.persistent,
        concern: access.concern() ?? '',
      });
    },
    async putRevocations({ revocations }) {
      if (!revocations)
        throw new ConnectError('revocations are missing, expected a signed list', Code.InvalidArgument);
      const { version } = await access.put(revocations);
      const persistent = access.persistent && access.concern() === undefined;
      return create(PutRevocationsResponseSchema, { version, persistent, endedConnections: recheck() });
    },
  };
  return (router) => {
    router.service(AccessService, routes);
  };
}
