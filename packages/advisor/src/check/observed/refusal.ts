/** Who refused, or how it failed. */
export type RefusalKind =
  | 'selinux'
  | 'seccomp'
  | 'ipe'
  | 'lockdown'
  /** A program wrote in its log that a file system is read-only. */
  | 'read-only'
  /** A program wrote in its log that a file could not be executed. */
  | 'execute'
  /** A program that entered the host wrote that the host lacks a program. */
  | 'program-missing';

/** One thing that a node refused, as a line of its logs says it. Texts are empty where the line does not say them. */
export interface Refusal {
  readonly kind: RefusalKind;
  /** Milliseconds since 1970, by the node's clock. */
  readonly timeMs: number;
  /** false: it was let through and only logged, as a permissive SELinux does. */
  readonly enforced: boolean;
  /** What was asked for: permissions ("read write"), a system call ("syscall 165 (x86-64)"), "write", "execute". */
  readonly action: string;
  /** Class of the object as SELinux names it: "file", "capability". */
  readonly objectClass: string;
  /** Absolute, as the process sees it: in a container's own tree for a container. */
  readonly path: string;
  /** Name without its folder: of a file, a kernel module, a program. */
  readonly name: string;
  /** 0 when the line does not say it. */
  readonly pid: number;
  /** Name of the thread, at most 15 characters. */
  readonly comm: string;
  /** "system_u:system_r:container_t:s0:c1,c2". */
  readonly sourceContext: string;
}

/** Where a container is. */
export interface ContainerPlace {
  readonly namespace: string;
  readonly pod: string;
  /** Empty when only the pod is known. */
  readonly container: string;
}

/** A refusal and whose it is. */
export interface AttributedRefusal extends Refusal {
  readonly place?: ContainerPlace | undefined;
  /** Unit of the host whose process it was; empty when it was none, or none that lives. */
  readonly unit: string;
}

const NONE = { action: '', objectClass: '', path: '', name: '', pid: 0, comm: '', sourceContext: '' };

/** makeRefusal fills in what a line did not say. */
export function makeRefusal(said: Partial<Refusal> & Pick<Refusal, 'kind' | 'timeMs' | 'enforced'>): Refusal {
  return { ...NONE, ...said };
}

/** Permissions that change something, as SELinux names them. */
const WRITES =
  /(?:^| )(?:write|append|create|unlink|link|rename|setattr|add_name|remove_name|rmdir|reparent|mounton|relabelto|relabelfrom)(?: |$)/;
const EXECUTES = /(?:^| )(?:execute|execute_no_trans|execmod|entrypoint|module_load)(?: |$)/;
const FILES = /^(?:file|dir|lnk_file|chr_file|blk_file|fifo_file|sock_file|filesystem)$/;

/** isWrite: something on a file system was to be changed. */
export function isWrite({ kind, action, objectClass }: Refusal): boolean {
  return kind === 'read-only' || (kind === 'selinux' && FILES.test(objectClass) && WRITES.test(action));
}

/** isExecution: a file was to be run, or loaded into the kernel. */
export function isExecution({ kind, action }: Refusal): boolean {
  return kind === 'execute' || kind === 'ipe' || (kind === 'selinux' && EXECUTES.test(action));
}
