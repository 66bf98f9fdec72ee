/** Where a machine finds the loopback addresses of this computer (QEMU's user network). */
export const HOST_SEEN_BY_GUEST = '10.0.2.2';
