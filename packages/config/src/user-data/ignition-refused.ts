import type { Refusal } from './foreign-text.ts';
import { boot, disks, network, people, units } from './refusals.ts';

const fetched: Refusal = {
  why: 'a node fetches nothing to learn what it is',
  instead: 'put the content into the config itself, as a data URL',
};
const placeless: Refusal = {
  why: 'a node has no files but those of its image and its machine config',
  instead: 'say it in documents of the machine config',
};
const notWritten: Refusal = {
  why: 'the file is read, and never written to the node',
  instead: 'leave it out',
};

/** What of Ignition a node does not honour, with reason and what to do instead; by the map that holds the key. */
export const refusedIgnition = {
  top: {
    kernelArguments: boot,
    passwd: people,
    systemd: units,
    networkd: { ...network, why: `it is of Ignition 2, and ${network.why}` },
  },
  ignition: {
    config: fetched,
    proxy: fetched,
    timeouts: fetched,
    security: {
      why: 'it is for what Ignition fetches, and a node fetches nothing to learn what it is',
      instead: 'trust an authority with a document of kind TrustedCAs',
    },
  },
  storage: {
    disks,
    raid: disks,
    filesystems: disks,
    luks: disks,
    directories: placeless,
    links: placeless,
  },
  file: { mode: notWritten, user: notWritten, group: notWritten, append: placeless },
  contents: { httpHeaders: fetched },
} as const satisfies Record<string, Record<string, Refusal>>;
