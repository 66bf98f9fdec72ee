import { fixedAddressesOf, type MachineConfig, parseCidr } from '@plinth/config';
import { type CheckSpec, fail, pass } from '../checks/check.ts';

/**
 * addressesCheck tells whether the machine has every address its config gives it.
 * @param problem why the config is not in effect yet; empty when nothing has failed
 */
export function addressesCheck(network: () => MachineConfig['network'], problem: () => string): CheckSpec {
  return {
    id: 'network-config',
    expected: 'every address of the machine config',
    source: 'getifaddrs',
    fix: 'Compare the MAC addresses of the machine config with those of the cards; read the journal of systemd-networkd.',
    observe: async (sys) => {
      const wanted = fixedAddressesOf(network());
      if (wanted.length === 0) return pass('no fixed address');
      const present = new Set(sys.addresses().map(canonical));
      const absent = wanted.filter((cidr) => !present.has(canonical(parseCidr(cidr)?.ip ?? cidr)));
      if (absent.length === 0) return pass('all addresses are there');
      return fail([`absent: ${absent.join(', ')}`, problem()].filter((text) => text !== '').join('; '));
    },
  };
}

/** One spelling for each address: IPv6 has many. */
function canonical(ip: string): string {
  return ip.includes(':') ? new URL(`http://[${ip}]/`).hostname : ip;
}
