import { type CheckSpec, pass, passIf } from './check.ts';

/** hostNameCheck tells whether the machine bears the name its config gives. */
export function hostNameCheck(name: string): CheckSpec {
  return {
    id: 'host-name',
    expected: name,
    source: 'uname',
    fix: 'Find out what else sets the host name; the machine config names the node.',
    observe: async (sys) => passIf(sys.hostName() === name, sys.hostName()),
  };
}

/**
 * identityCheck tells whether the node is the same after a reboot.
 * @param concern why it is not; undefined when it is
 */
export function identityCheck(concern: string | undefined): CheckSpec {
  return {
    id: 'identity',
    expected: 'the identity of the node survives a reboot',
    source: '/var/lib/plinth/identity',
    fix: 'Mend /var and reboot, then trust the fingerprint on the console anew.',
    observe: async () => (concern === undefined ? pass('kept on disk') : passIf(false, concern)),
  };
}
