export { followChannel, type SeenRepository } from './node-client.ts';
export { type SampleFilesOptions, writeSampleFiles } from './sample-release.ts';
