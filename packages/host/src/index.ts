export { cacheDir, configDir, stateDir } from './directories.ts';
export { type DownloadOptions, download, downloadIfChanged, type Validators } from './download.ts';
export { exists, hashFile, hashText, ioError, removeTree, syncDirectory, writeFileAtomic } from './files.ts';
export { type LockWaiting, withLock } from './lock-file.ts';
export { mapParallel } from './parallel.ts';
export { isErrno, type RunOptions, type RunResult, run } from './process.ts';
export {
  endProcess,
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  waitForEnd,
} from './process-identity.ts';
export { type Answered, type RunningServer, type ServeOptions, serveHttp } from './serve-http.ts';
export { openStageCache, type StageCache, type StageInputs, stageKey } from './stage-cache.ts';
