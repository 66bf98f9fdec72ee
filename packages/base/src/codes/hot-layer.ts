import { exitCodes } from '../exit-codes.ts';
import type { CodeTable } from './types.ts';

export const hotLayerCodes = {
  'hot-layer/invalid': {
    meaning: 'A file is no hot layer, or not the one it says it is.',
    cause: 'A damaged or wrong file, or a transfer that broke off; the message says which part.',
    fix: 'Build the layer again with "plinth hot-layer build", or take its files anew.',
  },
  'hot-layer/nothing-hot': {
    meaning: 'Nothing that differs between the two releases can be replaced while a node runs.',
    cause:
      'The packages do not differ, or only kernel, boot loader, PID 1, plinthd or files outside of /usr do; the message lists what.',
    fix: 'Publish the newer release: "plinth upgrade" brings all of it.',
  },
  'hot-layer/cannot-be-hot': {
    meaning: 'A package that was asked for has changes that cannot be made while a node runs.',
    cause:
      'A file outside of /usr, a program that is gone, the kernel or PID 1; each is listed with the reason.',
    fix: 'Leave the package out, or publish the newer release.',
  },
  'hot-layer/wrong-base': {
    meaning: 'The hot layer is made for another image than the one the node runs.',
    cause: 'The node was updated since, or the layer is of another build.',
    fix: 'Take the layer for the version that "plinth get versions" shows, or update the node.',
  },
  'hot-layer/older': {
    meaning: 'The node has had a newer hot layer of this base; an older one would bring a flaw back.',
    cause: 'An old file, or a repository that was set back.',
    fix: 'Take the newest layer of the base. Without a layer runs what the image holds: "plinth hot-layer retire".',
  },
  'hot-layer/not-cumulative': {
    meaning: 'The hot layer lacks a fix of the one it would replace.',
    cause: 'It was not built upon the layer before it.',
    fix: 'Build it with --previous MANIFEST of the layer before; at most one layer is active, so each holds all fixes.',
  },
  'hot-layer/refused': {
    meaning: 'The system did not merge the hot layer.',
    cause:
      'It is not signed by a key of the firmware, it was changed, or it says something else inside than beside it. The message holds the words of systemd.',
    fix: 'Use the layer as it was built, signed with the keys that signed the image. What ran before still runs.',
  },
  'hot-layer/none-published': {
    meaning: 'The repository has no hot layer for the image that the node runs.',
    cause: 'None was needed or published, or the ones there are were blocked in the channel.',
    fix: 'Publish one with "plinth hot-layer publish", or send a file with "plinth hot-layer stage FILE".',
  },
  'hot-layer/not-new': {
    meaning: 'The node was not told to take the hot layer, and takes only new ones by itself.',
    cause: 'It has had the layer, or the layer failed on it.',
    fix: 'Nothing need be done. To take it all the same: "plinth hot-layer stage", then "activate".',
  },
  'hot-layer/not-staged': {
    meaning: 'The node has no such hot layer.',
    cause: 'It was not staged, or another one was staged after it.',
    fix: 'Run "plinth hot-layer stage FILE"; "plinth get hot-layer" shows what is there.',
  },
  'hot-layer/busy': {
    meaning: 'The node is staging, activating or retiring a hot layer already.',
    cause: 'Another call is at work, also one whose client has gone.',
    fix: 'Try again; "plinth get hot-layer" shows how far it is.',
  },
  'hot-layer/space': {
    meaning: 'The node has no room for the hot layer.',
    cause: '/var is nearly full.',
    fix: 'Make room on /var; "plinth get mounts" shows how full it is.',
  },
  'hot-layer/not-healthy': {
    meaning: 'The node was not healthy with the hot layer and took it back.',
    cause:
      'A service did not start with the replaced files, or a check of health failed; the message names it.',
    fix: 'Read "plinth logs UNIT"; build a layer that is mended, with a higher serial.',
  },
  'hot-layer/unobserved': {
    meaning: 'The node could not find out which processes map replaced files.',
    cause: 'The helper plinth-mapped could not be started or ended badly; the message holds its words.',
    fix: 'Read "plinth logs plinth-mapped"; a reboot of the node ends every old process.',
  },
  'hot-layer/failed': {
    meaning: 'Activating or retiring a hot layer did not come to its end.',
    cause: 'A unit could not be restarted, or what was replaced is still mapped; the message says which.',
    fix: 'See "plinth get hot-layer"; a reboot of the node ends every old process.',
    exitCode: exitCodes.failed,
  },
} as const satisfies CodeTable;
