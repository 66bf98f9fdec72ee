import { type CheckSpec, fail, pass } from '../../checks/check.ts';
import type { NetworkProbe } from '../../health/network-probe.ts';

/**
 * ownApiCheck tells whether the API takes connections at an address of the network, not only of the loopback: whoever manages the
 * node has to reach it there.
 */
export function ownApiCheck(probe: Pick<NetworkProbe, 'connect'>, port: () => number): CheckSpec {
  return {
    id: 'own-api',
    expected: 'the API accepts connections at an address of the network',
    source: 'a connection to it',
    cause: 'The network card has no address under this version, or the API does not listen.',
    fix: 'Look at "plinth get network", or at the console of the node.',
    critical: true,
    observe: async (sys) => {
      const addresses = sys.addresses();
      if (addresses.length === 0) return fail('the node has no address');
      const answers = await Promise.all(
        addresses
          .slice(0, 8)
          .map(async (host) => ({ host, code: await probe.connect({ host, port: port() }) })),
      );
      const open = answers.find(({ code }) => code === '');
      return open ? pass(open.host) : fail(answers.map(({ host, code }) => `${host} ${code}`).join(', '));
    },
  };
}
