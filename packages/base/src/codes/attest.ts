import type { CodeTable } from './types.ts';

export const attestCodes = {
  'attest/structure-invalid': {
    meaning: 'Bytes that should be a structure of a TPM 2.0 break its format.',
    cause: 'A damaged or hostile answer, or a TPM whose keys are of a kind that Plinth does not take.',
    fix: 'Ask again; if it stays, do not trust the node.',
  },
  'attest/log-invalid': {
    meaning: 'A log of measurements breaks its format or a limit.',
    cause: 'A damaged or hostile log, or firmware that does not keep a log with SHA-256.',
    fix: 'Reboot the node and ask again; if it stays, do not trust the node.',
  },
  'attest/reference-invalid': {
    meaning: 'Reference values of a release cannot be read.',
    cause: 'A damaged file, or one of a newer version of Plinth.',
    fix: 'Fetch the release again, or update plinth.',
  },
  'attest/no-tpm': {
    meaning: 'The node has no TPM 2.0 that plinthd can use.',
    cause: 'A machine without a TPM, or one whose TPM is switched off in its firmware.',
    fix: 'Give the machine a TPM 2.0 with a SHA-256 bank and boot by UEFI.',
  },
  'attest/tpm-refused': {
    meaning: 'The TPM of the node refused a command.',
    cause: 'A password on the endorsement hierarchy, a credential for another TPM, or a TPM that is busy.',
    fix: 'Look at the code of the TPM; clear its passwords in the firmware settings.',
  },
  'attest/busy': {
    meaning: 'The node attests to so many others at the same time that it takes no more.',
    cause: 'Several verifiers that ask at once.',
    fix: 'Ask again in a few seconds.',
  },
  'attest/not-enrolled': {
    meaning: 'This computer does not know the TPM of the node yet.',
    cause: 'The node was never enrolled here.',
    fix: 'Enrol it while you trust it: "plinth attest --enrol".',
  },
  'attest/enrolment-refused': {
    meaning: 'A node could not prove that its keys are in the TPM it shows.',
    cause: 'A node that shows the TPM of another machine, or keys that are not bound to a TPM.',
    fix: 'Do not trust the node; look at its machine.',
  },
  'attest/other-tpm': {
    meaning: 'A node shows another TPM than the one it was enrolled with.',
    cause: 'Another machine that answers in its name, or a machine that got a new TPM.',
    fix: 'If the TPM was exchanged on purpose: "plinth attest --enrol --replace".',
  },
  'attest/book-invalid': {
    meaning: 'What this computer keeps of enrolled nodes cannot be read.',
    cause: 'A damaged file, or one of a newer version of Plinth.',
    fix: 'Restore the file from a backup, or remove it and enrol the node again.',
  },
  'attest/no-reference': {
    meaning: 'There are no reference values to judge a node by.',
    cause: 'Neither --release nor --repository was given, or the release has none.',
    fix: 'Name the folder of the release that the node should run: --release DIR.',
  },
  'attest/verification-invalid': {
    meaning: 'The reference values and rules by which control planes judge nodes cannot be used.',
    cause: 'Somebody changed the Secret by hand, or it was written by another version of Plinth.',
    fix: 'Write them anew: "plinth cluster attest RELEASE --admission required".',
  },
  'attest/not-passed': {
    meaning: 'A node did not prove that it booted a release that its cluster allows.',
    cause: 'It booted something else, without Secure Boot, or its TPM is not the one it was enrolled with.',
    fix: 'Look at what differs with "plinth attest RELEASE"; a new release is given with "plinth cluster attest".',
  },
  'attest/enrolment-needed': {
    meaning: 'The cluster takes only nodes whose TPM it knows, and it does not know that of this node.',
    cause: 'The invitation was asked for by a client that did not enrol the node.',
    fix: 'Join the node with "plinth join" of this version while you trust the machine.',
  },
  'attest/not-all-pass': {
    meaning: 'A proof cannot be required for certificates, since nodes of the cluster would fail it now.',
    cause:
      'Nodes that did not pass or could not be asked in the same run; their certificates could not be renewed.',
    fix: 'Let every node pass first, or take the ones that are gone out of the cluster; until then use "report".',
  },
  'attest/not-asked': {
    meaning: 'A control plane could not ask a node what it booted.',
    cause: 'The node cannot be reached from there, has no TPM, or the certificate of the verifier has ended.',
    fix: 'Try again; a new certificate comes with "plinth cluster attest RELEASE --admission required".',
  },
} as const satisfies CodeTable;
