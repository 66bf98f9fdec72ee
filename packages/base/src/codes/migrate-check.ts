import type { CodeTable } from './types.ts';

export const migrateCheckCodes = {
  'check/not-text': {
    meaning: 'A document is not UTF-8 text, so nothing of it was checked.',
    cause: 'A binary file with the name of a manifest, or one in another encoding.',
    fix: 'Save the file as UTF-8, or leave it out.',
  },
  'check/broken-yaml': {
    meaning: 'A document is no valid YAML or JSON, so nothing of it was checked.',
    cause: 'A missing bracket or quote, wrong indentation, or a template that was not rendered.',
    fix: 'Correct the line that is named; the other documents were checked.',
  },
  'check/too-large': {
    meaning: 'The input, one document of it, or its nesting is beyond what is read.',
    cause: 'A dump of a whole cluster in one document, or a text made to exhaust its readers.',
    fix: 'Split it, or check the live cluster with --live.',
  },
  'check/too-many-aliases': {
    meaning:
      'A document unfolds by its YAML aliases into far more than it says, so nothing of it was checked.',
    cause: 'A text made to exhaust its readers.',
    fix: 'Write the values out.',
  },
  'check/not-rendered': {
    meaning: 'A file is a template: what it makes is only known when it is rendered.',
    cause: 'The folder of a chart, or one with a kustomization, was given as it is.',
    fix: 'Run "helm template NAME DIR | plinth migrate check -", or "kubectl kustomize DIR" in its place.',
  },
  'check/not-kubernetes': {
    meaning: 'A file that was named holds no object of Kubernetes.',
    cause: 'Another file was meant, or its documents lack apiVersion and kind.',
    fix: 'Name the manifests, or the folder they are in.',
  },
  'check/nothing-read': {
    meaning: 'Nothing of the input could be checked.',
    cause: 'All of it is broken or not rendered, or there is none.',
    fix: 'Correct what is listed above, and check again.',
  },
  'check/list-refused': {
    meaning: 'The cluster does not show objects of one kind, so they were not checked.',
    cause: 'The account lacks the right to list them, or the cluster does not serve the kind.',
    fix: 'Apply packages/advisor/data/check/rbac.yaml, and check as that account.',
  },
  'check/observed-unread': {
    meaning: 'What a node refused could not be read, in whole or in part, so it is unknown.',
    cause: 'The node does not answer, or the log of a container is gone or cannot be read.',
    fix: 'Try "plinth logs --kernel" and "plinth get containers" on that node, then check again.',
  },
  'check/waivers-invalid': {
    meaning: 'The file of waivers cannot be read.',
    cause: 'A waiver without a reason or a last day, or a rule that does not exist.',
    fix: 'Correct the lines that are named; docs/how-to/check-workloads-before-a-move.md shows one.',
    exitCode: 2,
  },
  'check/unknown-target': {
    meaning: 'There are no facts of the system that workloads are to move to.',
    cause: 'A spelling mistake, or a system that nobody has described yet.',
    fix: 'Name one of those that the message lists.',
    exitCode: 2,
  },
} as const satisfies CodeTable;
