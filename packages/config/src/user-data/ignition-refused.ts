import type { Refusal } from './foreign-text.ts';

const fetched: Refusal = {
  why: 'a node fetches nothing to learn what it is',
  instead: 'put the content into the config itself, as a data URL',
};
const disks: Refusal = {
  why: 'disks are laid out by the image, and each file system is checked before it is mounted',
  instead: 'leave it out; volumes of pods come from the cluster',
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
    kernelArguments: {
      why: 'kernel, command line and boot loader are signed together in the image',
      instead: 'build an image with the arguments',
    },
    passwd: {
      why: 'a node has no users and no login',
      instead:
        'give people client certificates ("plinth access issue"); who vouches for them is in ApiAccess',
    },
    systemd: {
      why: 'the units of a node are those of its verified image',
      instead: 'run the service as a pod (a static pod or a DaemonSet)',
    },
    networkd: {
      why: 'it is of Ignition 2, and the network of a node is told in documents of its own',
      instead: 'write a document of kind Network',
    },
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
