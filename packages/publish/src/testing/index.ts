export { followChannel, type SeenRepository } from './node-client.ts';
export { freePort, type RunningTool, runServer } from './run-server.ts';
export { type SampleFilesOptions, writeSampleFiles } from './sample-release.ts';
