import type { Refusal } from './foreign-text.ts';
import { boot, disks, network, people, units } from './refusals.ts';

const commands: Refusal = {
  why: 'a node has no shell and runs no commands of user data',
  instead: 'say what the commands would do in documents of the machine config, or run it as a pod',
};
const packages: Refusal = {
  why: 'the system is one verified image; nothing is installed into it',
  instead: 'build an image with the package, or run the program in a container',
};
const hostKeys: Refusal = { why: 'a node has no SSH', instead: 'use "plinth" with the API of the node' };
const agents: Refusal = {
  why: 'no management agent but plinthd runs on a node',
  instead: 'manage the node with "plinth apply" and "plinth plan"',
};
const places: Refusal = {
  why: 'the language and clock of a node are those of its image (UTC)',
  instead: 'leave it out; pods set their own time zone',
};
const reports: Refusal = {
  why: 'a node calls nobody when it has come up',
  instead: 'ask it: "plinth health", "plinth events", or ship its journal with LogShipping',
};
const cloudInit: Refusal = {
  why: 'it steers cloud-init, which a node does not have',
  instead: 'leave it out',
};

function each(keys: readonly string[], refusal: Refusal): Record<string, Refusal> {
  return Object.fromEntries(keys.map((key) => [key, refusal]));
}

/**
 * Keys of #cloud-config that a node does not honour, with reason and what to do instead. Those that it does are in
 * cloud-config.ts. Source: the modules of cloud-init 24 and their schema.
 */
export const refusedCloudConfig: Readonly<Record<string, Refusal>> = {
  ...each(['users', 'groups', 'user', 'password', 'chpasswd'], people),
  ssh_authorized_keys: people,
  ssh_import_id: people,
  ssh_pwauth: { ...people, soAlready: [false] },
  disable_root: { ...people, soAlready: [true] },
  ...each(
    [
      'ssh',
      'ssh_keys',
      'ssh_deletekeys',
      'ssh_genkeytypes',
      'ssh_quiet_keygen',
      'ssh_publish_hostkeys',
      'ssh_fp_console_blacklist',
      'ssh_key_console_blacklist',
      'no_ssh_fingerprints',
      'allow_public_ssh_keys',
      'disable_root_opts',
      'authkey_hash',
    ],
    hostKeys,
  ),
  ...each(['runcmd', 'bootcmd'], commands),
  ...each(
    ['packages', 'snap', 'apt', 'apt_pipelining', 'yum_repos', 'yum_repo_dir', 'zypper', 'apk_repos'],
    packages,
  ),
  ...each(['package_update', 'package_upgrade', 'package_reboot_if_required', 'apt_update', 'apt_upgrade'], {
    ...packages,
    soAlready: [false],
  }),
  ...each(['drivers', 'lxd', 'updates', 'fan', 'byobu_by_default'], packages),
  ...each(
    ['disk_setup', 'fs_setup', 'device_aliases', 'mounts', 'mount_default_fields', 'swap', 'growpart'],
    disks,
  ),
  growroot_disabled: { ...disks, soAlready: [true] },
  resize_rootfs: { ...disks, soAlready: [false] },
  ...each(['locale', 'locale_configfile', 'keyboard'], places),
  timezone: { ...places, soAlready: ['UTC', 'Etc/UTC'] },
  ...each(['network', 'resolv_conf', 'wireguard'], network),
  ...each(['manage_etc_hosts', 'manage_resolv_conf'], { ...network, soAlready: [false] }),
  preserve_hostname: {
    why: 'the name of a node is that of its machine config',
    instead: 'leave it out, or give "hostname"',
    soAlready: [false],
  },
  ...each(['prefer_fqdn_over_hostname', 'create_hostname_file'], {
    why: 'a node has one name, without a domain',
    instead: 'give "hostname"',
  }),
  ...each(['grub_dpkg', 'grub-dpkg', 'rpi', 'kernel'], boot),
  ...each(['phone_home', 'final_message', 'output', 'reporting'], reports),
  rsyslog: { why: 'the log of a node is its journal', instead: 'write a document of kind LogShipping' },
  power_state: { why: 'a node decides on no reboot by itself', instead: 'use "plinth reboot"' },
  random_seed: {
    why: 'the kernel and the boot loader seed the random numbers',
    instead: 'leave it out',
  },
  ...each(['ansible', 'chef', 'puppet', 'salt_minion', 'mcollective', 'landscape', 'spacewalk'], agents),
  ...each(['ubuntu_advantage', 'ubuntu_pro', 'rh_subscription'], packages),
  ...each(['units', 'coreos', 'systemd'], units),
  ...each(
    [
      'autoinstall',
      'cloud_config_modules',
      'cloud_final_modules',
      'cloud_init_modules',
      'datasource',
      'datasource_list',
      'disable_ec2_metadata',
      'launch-index',
      'merge_how',
      'merge_type',
      'migrate',
      'system_info',
      'vendor_data',
      'version',
    ],
    cloudInit,
  ),
};
