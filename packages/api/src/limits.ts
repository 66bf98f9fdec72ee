/** Longest time a node gives to a call of NodeService; one that asks for more is refused. */
export const nodeCallLimitMs = 60_000;
