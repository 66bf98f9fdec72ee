import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type ConnectRouter } from '@connectrpc/connect';
import { GetSecurityFactsResponseSchema, PostureService, SECURITY_FACTS_MAXIMUM } from '@plinth/api';
import type { Sys } from '../sys/sys.ts';
import { collectFacts } from './collect-facts.ts';
import type { ClusterFacts } from './fact-readers.ts';

const NAME_LIMIT_CHARS = 200;

/** postureService gives the routes of plinth.node.v1.PostureService. */
export function postureService(sys: Sys, cluster: ClusterFacts): (router: ConnectRouter) => void {
  return (router) => {
    router.service(PostureService, {
      async getSecurityFacts({ names }) {
        refuseTooMuch(names);
        const observedAt = timestampFromMs(sys.nowMs());
        return create(GetSecurityFactsResponseSchema, {
          facts: [...(await collectFacts(sys, names, cluster))],
          observedAt,
        });
      },
    });
  };
}

function refuseTooMuch(names: readonly string[]): void {
  const refuse = (what: string, most: number) => {
    throw new ConnectError(`${what}, expected at most ${most}`, Code.InvalidArgument);
  };
  if (names.length > SECURITY_FACTS_MAXIMUM) refuse(`${names.length} names of facts`, SECURITY_FACTS_MAXIMUM);
  const longest = Math.max(0, ...names.map(({ length }) => length));
  if (longest > NAME_LIMIT_CHARS) refuse(`a name of ${longest} characters`, NAME_LIMIT_CHARS);
}
