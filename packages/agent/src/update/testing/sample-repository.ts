import { generateKeyPairSync, hash, type KeyObject, sign } from 'node:crypto';
import { Metadata, Root, Signature, Snapshot, Targets, Timestamp } from '@tufjs/models';

type RoleName = 'root' | 'targets' | 'images' | 'snapshot' | 'timestamp';
type Json = Parameters<typeof Root.fromJSON>[0];
type Signed = Root | Targets | Snapshot | Timestamp;

export interface SampleKey {
  readonly id: string;
  readonly publicHex: string;
  readonly privateKey: KeyObject;
}

/** What the next publishing writes; a test changes it as it likes, wrong values included. */
export interface SampleState {
  readonly versions: Record<RoleName, number>;
  readonly expiresAtMs: Record<RoleName, number>;
  /** Keys that the role above names. */
  readonly keys: Record<RoleName, readonly SampleKey[]>;
  readonly thresholds: Record<RoleName, number>;
  /** Keys that sign; default: those that are named. */
  signers: Partial<Record<RoleName, readonly SampleKey[]>>;
}

/** A signed repository in memory, with the layout of packages/publish: images delegated, consistent snapshots, plain target names. */
export interface SampleRepository {
  /** By their path below the address; what a server serves. */
  readonly files: Map<string, Uint8Array>;
  readonly state: SampleState;
  /** The first root; what an image carries. */
  readonly trustedRoot: Uint8Array;
  /** Puts a target there; signed with the next `publish`. */
  put(name: string, bytes: Uint8Array, file?: string): void;
  /** Signs targets, snapshot and timestamp as `state` says. */
  publish(): void;
  /** Signs the next root, by the keys of the one before too. */
  publishRoot(by?: readonly SampleKey[]): void;
}

const DAY_MS = 86_400_000;

export function sampleKey(): SampleKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const publicHex = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
  return { id: hash('sha256', publicHex), publicHex, privateKey };
}

/** sampleRepository makes keys (two for root, of which both sign) and the first root. */
export function sampleRepository(nowMs = Date.now()): SampleRepository {
  const names: readonly RoleName[] = ['root', 'targets', 'images', 'snapshot', 'timestamp'];
  const each = <T>(value: (name: RoleName) => T): Record<RoleName, T> => {
    const [root, targets, images, snapshot, timestamp] = names.map(value) as [T, T, T, T, T];
    return { root, targets, images, snapshot, timestamp };
  };
  const state: SampleState = {
    versions: each(() => 1),
    expiresAtMs: each(() => nowMs + 30 * DAY_MS),
    keys: each((name) => (name === 'root' ? [sampleKey(), sampleKey()] : [sampleKey()])),
    thresholds: each((name) => (name === 'root' ? 2 : 1)),
    signers: {},
  };
  const files = new Map<string, Uint8Array>();
  const targets = new Map<
    string,
    { readonly length: number; readonly hashes: { readonly sha256: string } }
  >();

  const common = (role: RoleName) => ({
    spec_version: '1.0.31',
    version: state.versions[role],
    expires: new Date(state.expiresAtMs[role]).toISOString().replace(/\.\d+Z$/, 'Z'),
  });
  const keyJson = ({ publicHex }: SampleKey) => ({
    keytype: 'ed25519',
    scheme: 'ed25519',
    keyval: { public: publicHex },
  });
  const keysJson = (roles: readonly RoleName[]) =>
    Object.fromEntries(roles.flatMap((role) => state.keys[role]).map((key) => [key.id, keyJson(key)]));
  const roleJson = (role: RoleName) => ({
    keyids: state.keys[role].map(({ id }) => id),
    threshold: state.thresholds[role],
  });
  const write = (file: string, signed: Signed, keys: readonly SampleKey[]) => {
    const metadata = new Metadata(signed);
    for (const { id, privateKey } of keys) {
      metadata.sign(
        (data) => new Signature({ keyID: id, sig: sign(null, data, privateKey).toString('hex') }),
      );
    }
    const bytes = Buffer.from(`${JSON.stringify(metadata.toJSON())}\n`);
    files.set(`metadata/${file}`, bytes);
    return bytes;
  };
  const signersOf = (role: RoleName) => state.signers[role] ?? state.keys[role];
  const rootKeys = () => state.keys.root;
  let before: readonly SampleKey[] = [];
  const writeRoot = (by: readonly SampleKey[]) => {
    const top = ['root', 'targets', 'snapshot', 'timestamp'] as const;
    const json: Json = {
      ...common('root'),
      consistent_snapshot: true,
      keys: keysJson(top),
      roles: Object.fromEntries(top.map((role) => [role, roleJson(role)])),
    };
    return write(`${state.versions.root}.root.json`, Root.fromJSON(json), by);
  };
  const trustedRoot = writeRoot(rootKeys());
  before = rootKeys();

  return {
    files,
    state,
    trustedRoot,
    put(name, bytes, file = name) {
      targets.set(name, { length: bytes.length, hashes: { sha256: hash('sha256', bytes) } });
      files.set(`targets/${file}`, bytes);
    },
    publish() {
      const { versions } = state;
      const json: Json = {
        ...common('targets'),
        targets: {},
        delegations: {
          keys: keysJson(['images']),
          roles: [{ name: 'images', ...roleJson('images'), terminating: true, paths: ['*', 'channels/*'] }],
        },
      };
      const describe = (bytes: Uint8Array, version: number) => ({
        version,
        length: bytes.length,
        hashes: { sha256: hash('sha256', bytes) },
      });
      const top = write(`${versions.targets}.targets.json`, Targets.fromJSON(json), signersOf('targets'));
      const images = write(
        `${versions.images}.images.json`,
        Targets.fromJSON({ ...common('images'), targets: Object.fromEntries(targets) }),
        signersOf('images'),
      );
      const meta = {
        'targets.json': describe(top, versions.targets),
        'images.json': describe(images, versions.images),
      };
      const snapshot = write(
        `${versions.snapshot}.snapshot.json`,
        Snapshot.fromJSON({ ...common('snapshot'), meta }),
        signersOf('snapshot'),
      );
      const named = { 'snapshot.json': describe(snapshot, versions.snapshot) };
      write(
        'timestamp.json',
        Timestamp.fromJSON({ ...common('timestamp'), meta: named }),
        signersOf('timestamp'),
      );
    },
    publishRoot(by) {
      state.versions.root++;
      writeRoot(by ?? [...new Set([...before, ...rootKeys()])]);
      before = rootKeys();
    },
  };
}
