/**
 * Methods of plinthd that the operator calls, by service. The role "plinth:operator" has all but those of config and Kubernetes; a role of
 * your own with exactly these is enough for releases with any part.
 */
export const NODE_METHODS: readonly string[] = [
  'NodeService.GetIdentity',
  'NodeService.GetHealth',
  'UpdateService.GetUpdate',
  'UpdateService.StageUpdate',
  'UpdateService.CancelUpdate',
  'UpdateService.ActivateUpdate',
  'UpdateService.RollBack',
  'MachineService.Reboot',
  'EtcdService.ListEtcdMembers',
  'HotLayerService.GetHotLayer',
  'HotLayerService.FetchHotLayer',
  'HotLayerService.ActivateHotLayer',
  'KubernetesService.GetKubernetes',
  'KubernetesService.Upgrade',
  'ConfigService.GetConfigStatus',
  'ConfigService.ListConfigHistory',
  'ConfigService.PlanDocuments',
  'ConfigService.ApplyDocuments',
  'ConfigService.RollbackConfig',
];
