export {
  type ClientCredentials,
  type ClientOptions,
  makeAuthority,
  type TestAuthority,
} from './authority.ts';
export { cannotIsolate, type IsolatedPlinthd, startIsolated } from './isolated-plinthd.ts';
export { type KubeadmFiles, renderKubeadmFiles } from './kubeadm-files.ts';
