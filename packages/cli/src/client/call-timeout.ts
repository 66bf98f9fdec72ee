/** Bound on one call to a member of a cluster: under emulation, or just coming back, a control plane answers late. */
export const MEMBER_CALL_TIMEOUT_MS = 180_000;
