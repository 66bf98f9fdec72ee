import type { Mount } from '../gen/mount_pb.ts';

/** SELinux domains of the node's own containers, see os/selinux/own-containers.cil. */
export type OwnDomain = 'bootstrap_t' | 'session_view_t' | 'session_full_t';

/** SELinux contexts of a container: of its processes, and of all files of its own. */
export interface OwnLabels {
  readonly process: string;
  readonly files: string;
}

/** labelsOf gives the contexts of a domain. Pure. */
export function labelsOf(domain: OwnDomain): OwnLabels {
  const kind = domain === 'bootstrap_t' ? 'bootstrap_file_t' : 'session_file_t';
  return { process: `system_u:system_r:${domain}:s0`, files: `system_u:object_r:${kind}:s0` };
}

/** labelled makes a root file system one kind of files, whatever its layers carry. Pure. */
export function labelled(mount: Mount, { files }: OwnLabels): Mount {
  return { ...mount, options: [...mount.options, `context="${files}"`] };
}
