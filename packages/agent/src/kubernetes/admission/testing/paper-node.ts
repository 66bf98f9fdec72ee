import { type Enrolment, FIRMWARE_PCRS } from '@plinth/attest';
import { type BootParts, type PaperTpm, paperTpm, recordedBoot } from '@plinth/attest/testing';
import { hex } from '@plinth/formats';
import { attestationService } from '../../../attestation/attestation-service.ts';
import { openIdentity } from '../../../identity/open-identity.ts';
import { serve } from '../../../server/serve.ts';
import { memoryStore } from '../../../sys/state-store.ts';
import { makeAuthority } from '../../../testing/authority.ts';
import { fakeSys } from '../../../testing/fake-sys.ts';
import type { InvitedNode } from '../../access/cluster-access.ts';

const boot = recordedBoot();

/** A node on loopback whose attestation is plinthd's own over TLS, and whose TPM and boot are on paper. */
export interface PaperNode extends AsyncDisposable {
  readonly node: InvitedNode;
  readonly port: number;
  /** What it is enrolled with. */
  readonly enrolment: Enrolment;
  /** As whom a control plane asks it. */
  readonly verifier: { readonly certificatePem: string; readonly keyPem: string };
  tpm: PaperTpm;
  parts: BootParts;
  /** Quotes that were made. */
  quotes: number;
}

/**
 * servePaperNode serves a node that booted as the recorded one.
 * @param toldId the id it tells of itself; default: its own
 */
export async function servePaperNode(nodeName: string, toldId?: string): Promise<PaperNode> {
  using authority = makeAuthority();
  const verifier = authority.issue({ commonName: 'cluster-verifier' });
  const identity = await openIdentity(memoryStore('a test'), nodeName);
  const { nodeId, certificatePem, privateKeyPem } = identity;
  const tpm = paperTpm();
  const state: Pick<PaperNode, 'tpm' | 'parts' | 'quotes'> = { tpm, parts: boot, quotes: 0 };
  const key = (publicArea: Uint8Array) => ({ handle: 0, publicArea });
  const notHere = () => Promise.reject(new Error('a verifier asks for quotes only'));
  const openTpm = async () => ({
    tpm: {
      createEk: async () => key(state.tpm.ekPublic),
      createAk: async () => key(state.tpm.akPublic),
      readEkCertificate: async () => undefined,
      quote: async (_ak: unknown, extraData: Uint8Array) => {
        state.quotes++;
        return state.tpm.quote(extraData, state.parts.registers);
      },
      activateCredential: notHere,
      flush: notHere,
    },
    [Symbol.asyncDispose]: async () => {},
  });
  const routes = attestationService({
    ...{ sys: machineOf(() => state.parts), openTpm, nodeId: toldId ?? nodeId },
    integrity: async () => ({
      ...{ verdict: 'pass', checks: [], mounts: [], pcrs: [], layerRootHashes: [], observedAtMs: 0 },
      rootHash: boot.reference.rootHash,
    }),
  });
  const listener = await serve({
    ...{ port: 0, bindAddress: '127.0.0.1', nowMs: Date.now, audit: () => {}, certificatePem, privateKeyPem },
    clientAuthoritiesPem: [authority.certificatePem],
    routes,
  });
  return Object.assign(state, {
    ...{ port: listener.port, verifier },
    node: { nodeId, nodeName, nodeAddress: '127.0.0.1', role: 'worker' as const },
    enrolment: {
      ...{ format: 1 as const, nodeId, nodeName, vouchedBy: '', newestVersion: '' },
      ...{ ekPublic: hex(tpm.ekPublic), akPublic: hex(tpm.akPublic), enrolledAt: '2026-11-22T00:00:00Z' },
      firmware: FIRMWARE_PCRS.map((pcr) => ({ pcr, sha256: boot.registers.get(pcr) ?? '' })),
    },
    [Symbol.asyncDispose]: () => listener.close(),
  });
}

/** What plinthd reads of a machine for its evidence, as it is at each call. */
function machineOf(parts: () => BootParts): ReturnType<typeof fakeSys> {
  const now = () => {
    const { firmwareLog, systemLog, registers } = parts();
    const pcrs = [...registers].map(([pcr, value]) => [
      `/sys/class/tpm/tpm0/pcr-sha256/${pcr}`,
      `${value}\n`,
    ]);
    return fakeSys({
      files: {
        ...Object.fromEntries(pcrs),
        '/sys/kernel/security/tpm0/binary_bios_measurements': firmwareLog,
        '/run/log/systemd/tpm2-measure.log': systemLog,
        '/proc/cmdline': `roothash=${boot.reference.rootHash}`,
      },
    });
  };
  return {
    ...now(),
    readFile: (path, limitBytes) => now().readFile(path, limitBytes),
    readRange: (path, offset, lengthBytes) => now().readRange(path, offset, lengthBytes),
    readAtOnce: (path) => now().readAtOnce(path),
    readDir: (path) => now().readDir(path),
  };
}
