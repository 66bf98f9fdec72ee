import type { MessageInitShape } from '@bufbuild/protobuf';
import type { GetNetworkResponseSchema } from '@plinth/api';
import { readText, type Sys } from '../sys/sys.ts';
import { nameResolution } from './name-resolution.ts';
import { type Observation, openObservation, runText } from './observing.ts';
import {
  type LinkFacts,
  parseLinks,
  parseLldp,
  parseManager,
  parseNeighbours,
  parseRoutes,
} from './parse-network.ts';

export const IP = '/usr/sbin/ip';
export const NETWORKCTL = '/usr/bin/networkctl';
const LINKS_MAXIMUM = 2_000;
const ROUTES_MAXIMUM = 5_000;
const NEIGHBOURS_MAXIMUM = 5_000;
const SPEED_MAXIMUM = 2 ** 31;

/** getNetwork asks kernel, systemd-networkd and systemd-resolved for the network of the host. */
export async function getNetwork(sys: Sys): Promise<MessageInitShape<typeof GetNetworkResponseSchema>> {
  const observation = openObservation();
  const { attempt, notObserved } = observation;
  const json = async (program: string, ...args: string[]): Promise<unknown> =>
    JSON.parse((await runText(sys, program, args)) || '[]');
  const [facts, setups, routes, routes6, neighbours, lldp] = await Promise.all([
    attempt('links', async () => parseLinks(await json(IP, '-j', '-s', '-d', 'addr', 'show'))),
    attempt('settings of links', async () =>
      parseManager(await json(NETWORKCTL, '--json=short', 'status', '--all')),
    ),
    attempt('routes', async () =>
      parseRoutes(await json(IP, '-4', '-j', 'route', 'show', 'table', 'all'), 'inet'),
    ),
    attempt('IPv6 routes', async () =>
      parseRoutes(await json(IP, '-6', '-j', 'route', 'show', 'table', 'all'), 'inet6'),
    ),
    attempt('neighbours', async () => parseNeighbours(await json(IP, '-j', 'neigh', 'show'))),
    attempt('LLDP neighbours', async () => parseLldp(await json(NETWORKCTL, '--json=short', 'lldp'))),
  ]);
  const links = await Promise.all(
    cut(facts ?? [], LINKS_MAXIMUM, 'links', observation).map((link) =>
      withSetup(sys, link, setups?.get(link.name)),
    ),
  );
  const dns = await nameResolution(sys, new Map(links.map(({ index, name }) => [index, name])), observation);
  return {
    links,
    routes: cut([...(routes ?? []), ...(routes6 ?? [])], ROUTES_MAXIMUM, 'routes', observation),
    neighbours: cut(neighbours ?? [], NEIGHBOURS_MAXIMUM, 'neighbours', observation),
    ...(dns && { dns }),
    lldp: lldp ?? [],
    notObserved,
  };
}

function cut<T>(items: readonly T[], most: number, what: string, { notObserved }: Observation): T[] {
  if (items.length > most) notObserved.push(`${what} beyond ${most}: there are ${items.length}`);
  return items.slice(0, most);
}

async function withSetup(sys: Sys, link: LinkFacts, setup: LinkSetupOrNone) {
  const { addresses, ...rest } = link;
  const speed = Number(await readText(sys, `/sys/class/net/${link.name}/speed`).catch(() => '')); // EINVAL when it is down
  return {
    ...rest,
    ...{ setup: setup?.setup ?? '', networkFile: setup?.networkFile ?? '', driver: setup?.driver ?? '' },
    ...(speed > 0 && speed < SPEED_MAXIMUM && { speedMbits: speed }),
    addresses: addresses.map((address) => ({ ...address, origin: setup?.origins.get(address.cidr) ?? '' })),
  };
}

type LinkSetupOrNone = ReturnType<ReturnType<typeof parseManager>['get']>;
