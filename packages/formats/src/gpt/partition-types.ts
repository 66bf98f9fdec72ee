/** Names of the partition types Plinth uses on x86-64 (UAPI.2), by type GUID. */
export const partitionTypes: Readonly<Record<string, string>> = {
  'c12a7328-f81f-11d2-ba4b-00a0c93ec93b': 'esp',
  'bc13c2ff-59e6-4262-a352-b275fd6f7172': 'xbootldr',
  '4f68bce3-e8cd-4db1-96e7-fbcaf984b709': 'root-x86-64',
  '2c7357ed-ebd2-46d9-aec1-23d437ec2bf5': 'root-x86-64-verity',
  '41092b05-9fc8-4523-994f-2def0408b176': 'root-x86-64-verity-sig',
  '8484680c-9521-48c6-9c11-b0720656f69e': 'usr-x86-64',
  '77ff5f63-e7b6-4633-acf4-1565b864c0e6': 'usr-x86-64-verity',
  'e7bb33fb-06cf-4e81-8273-e543b413e2e2': 'usr-x86-64-verity-sig',
  '4d21b016-b534-45c2-a9fb-5c16e091fd2d': 'var',
  '7ec6f557-3bc5-4aca-b293-16ef5df639d1': 'tmp',
  '933ac7e1-2eb4-4f13-b844-0e14e2aef915': 'home',
  '3b8f8425-20e0-4f3b-907f-1a25a76f98e8': 'srv',
  '0657fd6d-a4ab-43c4-84e5-0933c84b4f4f': 'swap',
  '0fc63daf-8483-4772-8e79-3d69d8477de4': 'linux-generic',
  '8da63339-0007-60c0-c436-083ac8230908': 'linux-reserved',
};
