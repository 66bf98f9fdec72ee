import type { CommandTable } from '../framework/command-table.ts';
import { accessIssueCommand } from './access-issue.ts';
import { accessListCommand } from './access-list.ts';
import { accessLoginCommand } from './access-login.ts';
import { accessPushCommand } from './access-push.ts';
import { accessRevokeCommand } from './access-revoke.ts';
import { adviseCommand } from './advise.ts';
import { advisorFactsCommand } from './advisor-facts.ts';
import { applyCommand } from './apply.ts';
import { attestCommand } from './attest.ts';
import { auditExportCommand } from './audit-export.ts';
import { auditLogCommand } from './audit-log.ts';
import { auditVerifyCommand } from './audit-verify.ts';
import { bootstrapCommand } from './bootstrap.ts';
import { buildCommand } from './build.ts';
import { captureCommand } from './capture.ts';
import { clusterAddNodeCommand } from './cluster-add-node.ts';
import { clusterAttestCommand } from './cluster-attest.ts';
import { clusterDestroyCommand } from './cluster-destroy.ts';
import { clusterLeaveCommand } from './cluster-leave.ts';
import { clusterListCommand } from './cluster-list.ts';
import { clusterPauseCommand } from './cluster-pause.ts';
import { clusterRemoveNodeCommand } from './cluster-remove-node.ts';
import { clusterResumeCommand } from './cluster-resume.ts';
import { clusterShowCommand } from './cluster-show.ts';
import { completionCommand } from './completion.ts';
import { confidentialVerifyCommand } from './confidential-verify.ts';
import { configAddCommand } from './config-add.ts';
import { configConfirmCommand } from './config-confirm.ts';
import { configContextCommand } from './config-context.ts';
import { configContextsCommand } from './config-contexts.ts';
import { configDiffCommand } from './config-diff.ts';
import { configExplainCommand } from './config-explain.ts';
import { configHistoryCommand } from './config-history.ts';
import { configMigrateCommand } from './config-migrate.ts';
import { configRemoveCommand } from './config-remove.ts';
import { configRenderCommand } from './config-render.ts';
import { configRollbackCommand } from './config-rollback.ts';
import { configSchemaCommand } from './config-schema.ts';
import { configShowCommand } from './config-show.ts';
import { configValidateCommand } from './config-validate.ts';
import { cveCommands, cveSummary } from './cve-commands.ts';
import { cveImageCommand } from './cve-image.ts';
import { dashboardCommand } from './dashboard.ts';
import { diffCommand } from './diff.ts';
import { dmesgCommand } from './dmesg.ts';
import { downCommand } from './down.ts';
import { errorsCommand } from './errors.ts';
import { etcdDefragmentCommand } from './etcd-defragment.ts';
import { etcdMembersCommand } from './etcd-members.ts';
import { etcdRemoveCommand } from './etcd-remove.ts';
import { etcdRestoreCommand } from './etcd-restore.ts';
import { etcdSnapshotCommand } from './etcd-snapshot.ts';
import { eventsCommand } from './events.ts';
import { filesListCommand } from './files-list.ts';
import { filesReadCommand } from './files-read.ts';
import { fleetImageCommand } from './fleet-image.ts';
import { fleetInstallCommand } from './fleet-install.ts';
import { fleetRunCommand } from './fleet-run.ts';
import { fleetStatusCommand } from './fleet-status.ts';
import { fleetUninstallCommand } from './fleet-uninstall.ts';
import { getCommands } from './get-commands.ts';
import { healthCommand } from './health.ts';
import { hotLayerActivateCommand } from './hot-layer-activate.ts';
import { hotLayerBuildCommand } from './hot-layer-build.ts';
import { hotLayerPublishCommand } from './hot-layer-publish.ts';
import { hotLayerRetireCommand } from './hot-layer-retire.ts';
import { hotLayerStageCommand } from './hot-layer-stage.ts';
import { imagePullCommand } from './image-pull.ts';
import { imageRemoveCommand } from './image-remove.ts';
import { inspectCommand } from './inspect.ts';
import { joinCommand } from './join.ts';
import { keysExportCommand } from './keys-export.ts';
import { keysInitCommand } from './keys-init.ts';
import { keysListCommand } from './keys-list.ts';
import { keysRotateCommand } from './keys-rotate.ts';
import { kubeconfigCommand } from './kubeconfig.ts';
import { kubectlCommand } from './kubectl.ts';
import { kubernetesBuildCommand } from './kubernetes-build.ts';
import { kubernetesStageCommand } from './kubernetes-stage.ts';
import { kubernetesUpgradeCommand } from './kubernetes-upgrade.ts';
import { lockCommand } from './lock.ts';
import { logsCommand } from './logs.ts';
import { migrateCheckCommand } from './migrate-check.ts';
import { migratePlanCommand } from './migrate-plan.ts';
import { planCommand } from './plan.ts';
import { postureCommand } from './posture.ts';
import { rebootCommand } from './reboot.ts';
import { releaseBarrierCommand } from './release-barrier.ts';
import { releaseBlockCommand } from './release-block.ts';
import { releaseDeadEndCommand } from './release-dead-end.ts';
import { releaseDeadlineCommand } from './release-deadline.ts';
import { releaseFloorCommand } from './release-floor.ts';
import { releasePromoteCommand } from './release-promote.ts';
import { releasePruneCommand } from './release-prune.ts';
import { releasePublishCommand } from './release-publish.ts';
import { releaseRefreshCommand } from './release-refresh.ts';
import { releaseRotateKeysCommand } from './release-rotate-keys.ts';
import { releaseServeCommand } from './release-serve.ts';
import { releaseShowCommand } from './release-show.ts';
import { releaseVerifyCommand } from './release-verify.ts';
import { resetCommand } from './reset.ts';
import { restartCommand } from './restart.ts';
import { rollbackCommand } from './rollback.ts';
import { rolloutCommands } from './rollout-commands.ts';
import { sbomCommand } from './sbom.ts';
import { sessionAttachCommand } from './session-attach.ts';
import { sessionEndCommand } from './session-end.ts';
import { sessionListCommand } from './session-list.ts';
import { sessionRecordingCommand } from './session-recording.ts';
import { sessionStartCommand } from './session-start.ts';
import { shutdownCommand } from './shutdown.ts';
import { supportCommand } from './support.ts';
import { testCommand } from './test.ts';
import { upCommand } from './up.ts';
import { updateActivateCommand } from './update-activate.ts';
import { updateCancelCommand } from './update-cancel.ts';
import { updateCheckCommand } from './update-check.ts';
import { updateStageCommand } from './update-stage.ts';
import { updateUnblockCommand } from './update-unblock.ts';
import { upgradeCommand } from './upgrade.ts';
import { varRecoveryKeyCommand } from './var-recovery-key.ts';
import { varResealCommand } from './var-reseal.ts';
import { varShowCommand } from './var-show.ts';
import { verifyCommand } from './verify.ts';
import { versionCommand } from './version.ts';
import { vmConsoleCommand } from './vm-console.ts';
import { vmListCommand } from './vm-list.ts';
import { vmScreenshotCommand } from './vm-screenshot.ts';
import { vmStartCommand } from './vm-start.ts';
import { vmStopCommand } from './vm-stop.ts';
import { workloadSignCommand } from './workload-sign.ts';
import { workloadWouldDenyCommand } from './workload-would-deny.ts';

/** Every command of `plinth`. */
export const commandTable: CommandTable = {
  commands: [
    upCommand,
    downCommand,
    healthCommand,
    dashboardCommand,
    kubectlCommand,
    kubeconfigCommand,
    testCommand,
    lockCommand,
    buildCommand,
    kubernetesBuildCommand,
    kubernetesStageCommand,
    kubernetesUpgradeCommand,
    verifyCommand,
    inspectCommand,
    sbomCommand,
    ...cveCommands,
    cveImageCommand,
    diffCommand,
    keysInitCommand,
    keysListCommand,
    keysExportCommand,
    keysRotateCommand,
    releasePublishCommand,
    releaseServeCommand,
    releaseShowCommand,
    releasePromoteCommand,
    releaseBlockCommand,
    releaseBarrierCommand,
    releaseDeadEndCommand,
    releaseDeadlineCommand,
    releaseFloorCommand,
    releasePruneCommand,
    releaseRefreshCommand,
    releaseRotateKeysCommand,
    releaseVerifyCommand,
    vmStartCommand,
    vmStopCommand,
    vmConsoleCommand,
    vmScreenshotCommand,
    vmListCommand,
    attestCommand,
    ...getCommands,
    logsCommand,
    dmesgCommand,
    eventsCommand,
    workloadSignCommand,
    workloadWouldDenyCommand,
    imagePullCommand,
    imageRemoveCommand,
    filesListCommand,
    filesReadCommand,
    captureCommand,
    sessionStartCommand,
    sessionAttachCommand,
    sessionListCommand,
    sessionEndCommand,
    sessionRecordingCommand,
    bootstrapCommand,
    joinCommand,
    clusterListCommand,
    clusterShowCommand,
    clusterAttestCommand,
    confidentialVerifyCommand,
    clusterAddNodeCommand,
    clusterRemoveNodeCommand,
    clusterLeaveCommand,
    clusterPauseCommand,
    clusterResumeCommand,
    clusterDestroyCommand,
    etcdMembersCommand,
    etcdSnapshotCommand,
    etcdRestoreCommand,
    etcdDefragmentCommand,
    etcdRemoveCommand,
    hotLayerBuildCommand,
    hotLayerPublishCommand,
    hotLayerStageCommand,
    hotLayerActivateCommand,
    hotLayerRetireCommand,
    varShowCommand,
    varRecoveryKeyCommand,
    varResealCommand,
    upgradeCommand,
    updateCheckCommand,
    updateStageCommand,
    updateActivateCommand,
    updateCancelCommand,
    updateUnblockCommand,
    rollbackCommand,
    rebootCommand,
    shutdownCommand,
    resetCommand,
    restartCommand,
    supportCommand,
    postureCommand,
    migratePlanCommand,
    migrateCheckCommand,
    planCommand,
    applyCommand,
    configShowCommand,
    configDiffCommand,
    configHistoryCommand,
    configConfirmCommand,
    configRollbackCommand,
    accessLoginCommand,
    accessIssueCommand,
    accessListCommand,
    accessRevokeCommand,
    accessPushCommand,
    auditLogCommand,
    auditVerifyCommand,
    auditExportCommand,
    fleetImageCommand,
    fleetInstallCommand,
    fleetRunCommand,
    fleetStatusCommand,
    fleetUninstallCommand,
    ...rolloutCommands,
    configContextsCommand,
    configContextCommand,
    configAddCommand,
    configRemoveCommand,
    configValidateCommand,
    configExplainCommand,
    configRenderCommand,
    configSchemaCommand,
    configMigrateCommand,
    adviseCommand,
    advisorFactsCommand,
    completionCommand,
    versionCommand,
    errorsCommand,
  ],
  groups: {
    kubernetes: 'Build Kubernetes, bring it to nodes, upgrade clusters',
    cluster: 'Manage clusters of machines on this computer',
    confidential: 'Judge reports of confidential guests',
    etcd: 'Look after the database of a cluster',
    release: 'Publish releases to nodes, and look after what is published',
    cve: cveSummary,
    keys: 'Make, list, export and rotate the signing keys',
    vm: 'Run machines on this computer',
    get: 'Ask nodes what they are, run and see',
    image: 'Pull images to nodes and remove them',
    workload: 'Sign container images, and find what nodes that execute only signed code would refuse',
    update: 'The steps of an upgrade, each by itself',
    'hot-layer': 'Fix libraries and daemons of running nodes without a reboot',
    files: 'Look at files of a node',
    var: 'What opens the encrypted /var of a node',
    session: 'Work on a node by hand: recorded, with a reason and an end',
    advisor: 'What the advice rests on',
    access: 'Give people access to nodes for a while, and take it back',
    migrate: 'Plan a move to another node OS, and check workloads before it',
    audit: 'Who called what on nodes, and whether that record is whole',
    fleet: 'The operator that updates whole clusters from inside them',
    rollout: 'Look at rollouts to whole clusters, and steer them',
    config: 'Machine configs of nodes, and the nodes this client knows',
  },
  topics: {
    Start: ['up', 'down', 'health', 'dashboard', 'kubectl', 'kubeconfig'],
    'Look at nodes': [
      'get',
      'attest',
      'confidential',
      'logs',
      'dmesg',
      'events',
      'files',
      'capture',
      'posture',
      'workload',
      'support',
    ],
    'Change nodes': [
      'plan',
      'apply',
      'config',
      'image',
      'upgrade',
      'update',
      'rollback',
      'hot-layer',
      'session',
      'restart',
      'reboot',
      'shutdown',
      'var',
      'reset',
    ],
    'Who may do what, and did': ['access', 'audit'],
    Clusters: ['fleet', 'rollout', 'cluster', 'kubernetes', 'etcd', 'bootstrap', 'join', 'vm'],
    Build: ['lock', 'build', 'verify', 'inspect', 'sbom', 'cve', 'diff', 'keys', 'release', 'test'],
    'Choose a node OS, and move to it': ['advise', 'advisor', 'migrate'],
    'The tool itself': ['completion', 'version', 'errors'],
  },
};
