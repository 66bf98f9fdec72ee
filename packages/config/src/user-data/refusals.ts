import type { Refusal } from './foreign-text.ts';

/** What no form of user data can have from a node; the same words in all of them. */
export const people: Refusal = {
  why: 'a node has no users and no login',
  instead: 'give people client certificates ("plinth access issue"); who vouches for them is in ApiAccess',
};
export const disks: Refusal = {
  why: 'disks are laid out by the image, and each file system is checked before it is mounted',
  instead: 'leave it out; volumes of pods come from the cluster',
};
export const units: Refusal = {
  why: 'the units of a node are those of its verified image',
  instead: 'run the service as a pod (a static pod or a DaemonSet)',
};
export const boot: Refusal = {
  why: 'kernel, command line and boot loader are signed together in the image',
  instead: 'build an image with the change',
};
export const network: Refusal = {
  why: 'the network of a node is told in documents of its own',
  instead: 'write a document of kind Network',
};
