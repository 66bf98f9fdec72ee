import { basename, dirname } from 'node:path';
import { PlinthError } from '@plinth/base';
import { HOT_LAYER_MANIFEST, type HotLayer, parseHotLayer } from '@plinth/updates';
import { HOST_MOUNTS, observeRoot } from '../integrity/root-checks.ts';
import { parseKeyValues } from '../kernel/key-values.ts';
import { mountHolding, parseMountInfo, visibleMounts } from '../kernel/mountinfo.ts';
import { SYSEXT_UNIT } from '../kubernetes/layers/choose-layer.ts';
import { restartMerge } from '../kubernetes/layers/merge-layer.ts';
import { EXTENSIONS } from '../kubernetes/paths.ts';
import type { Units } from '../kubernetes/units/run-unit.ts';
import { SYSTEMCTL } from '../reports/versions.ts';
import type { StateStore } from '../sys/state-store.ts';
import { listDir, readText, type Sys } from '../sys/sys.ts';
import { runTmpfiles } from '../sys/tmpfiles.ts';
import { FOLDER, LINKS } from './places.ts';

const MERGE_TIMEOUT_MS = 180_000;
/** A file gets a device of its own, so that only the end of the one before is waited for. */
const ATTEMPTS = 3;
/** What systemd-sysext says of a drive whose layer is merged: no verdict on any layer. */
const HELD = /Device or resource busy/;

/** Paths of images: one until the next reboot, one that stays. The first is merged where both are. */
export interface HotChoice {
  readonly trial?: string | undefined;
  readonly kept?: string | undefined;
}

/** renderHotChoice is the tmpfiles.d(5) text that leaves exactly these links. Pure. */
export function renderHotChoice(choice: HotChoice): string {
  const lines = (['trial', 'kept'] as const).map((which) => {
    const [link, path] = [LINKS[which], choice[which]];
    return path === undefined ? `r ${link}` : `L+ ${link} - - - - ${path}`;
  });
  return ['d /run/extensions 0755 root root', 'd /var/lib/extensions 0755 root root', ...lines, ''].join(
    '\n',
  );
}

/** MergedUsr is what lies over /usr, and how it is changed. */
export interface MergedUsr {
  /** The image that was booted. */
  booted(): Promise<{ readonly name: string; readonly version: string; readonly rootHash: string }>;
  /** The hot layer that is merged, as it says itself below the verified mount; undefined for none. */
  layer(): Promise<HotLayer | undefined>;
  /** "major:minor" of the file system at /usr, and of the root. */
  devices(): Promise<{ readonly usr: string; readonly root: string }>;
  /** Makes links; what is merged changes with the next merge. @throws hot-layer/failed */
  choose(choice: HotChoice): Promise<void>;
  /** Whether a link chooses a layer for every boot. The boot takes it away when the one before did not come up. */
  isKept(): Promise<boolean>;
  /** This boot has come to health: the next one may merge the layer again. */
  bootEnded(): Promise<void>;
  /** Merges what is chosen, of all layers. Gives why it was refused; undefined when it was not. */
  merge(signal: AbortSignal): Promise<PlinthError | undefined>;
}

/** openMergedUsr works on the machine. */
export function openMergedUsr(parts: {
  readonly sys: Sys;
  readonly store: StateStore;
  readonly units: Units;
  /** Frees the drive of another layer that is held while it is merged; false when there is none. */
  freeDrive(): Promise<boolean>;
  /** Between two tries of a merge. */
  readonly pauseMs?: number;
}): MergedUsr {
  const { sys, store, units, freeDrive, pauseMs } = parts;
  return {
    async booted() {
      const release = parseKeyValues((await readText(sys, '/usr/lib/os-release')) ?? '');
      const rootHash = (await observeRoot(sys)).table?.rootHash ?? '';
      return { name: release.get('ID') ?? '', version: release.get('VERSION_ID') ?? '', rootHash };
    },
    async layer() {
      const text = await readText(sys, HOT_LAYER_MANIFEST);
      return text === undefined ? undefined : parseHotLayer(text, HOT_LAYER_MANIFEST);
    },
    async devices() {
      const mounts = parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8'));
      const [usr, root] = [mountHolding(mounts, '/usr'), mountHolding(mounts, '/')];
      if (usr && root) return { usr: usr.device, root: root.device };
      throw new PlinthError('hot-layer/failed', `Cannot see what is mounted at /usr in ${HOST_MOUNTS}`);
    },
    choose: (choice) =>
      runTmpfiles(sys, store, {
        name: `${FOLDER}/choice.conf`,
        text: renderHotChoice(choice),
        task: 'choose a hot layer',
        code: 'hot-layer/failed',
      }),
    async isKept() {
      return (await listDir(sys, EXTENSIONS)).includes(basename(LINKS.kept));
    },
    bootEnded: () => store.remove(`${FOLDER}/starting`),
    async merge(signal) {
      const mounts = parseMountInfo((await sys.readFile(HOST_MOUNTS)).toString('utf8'));
      const isMerged = visibleMounts(mounts).some(({ target }) => target === '/usr');
      const chosen = await Promise.all(
        [dirname(LINKS.trial), EXTENSIONS].map((folder) => listDir(sys, folder)),
      );
      // The conditions of the unit would not hold; what it may have failed at is over.
      if (!isMerged && chosen.flat().length === 0) {
        await sys.run(SYSTEMCTL, ['reset-failed', SYSEXT_UNIT]);
        return undefined;
      }
      const attempt = () =>
        restartMerge(
          { units, ...(pauseMs !== undefined && { mergePauseMs: pauseMs }) },
          { timeoutMs: MERGE_TIMEOUT_MS, signal },
          ATTEMPTS,
        );
      const refused = await attempt();
      const held = refused && HELD.test(refused.message);
      return held && !signal.aborted && (await freeDrive()) ? attempt() : refused;
    },
  };
}
