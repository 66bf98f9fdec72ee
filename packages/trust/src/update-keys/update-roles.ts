/** What each key of a release repository vouches for (TUF 1.0, 2.1); "images" is the one role that targets delegates to. */
export const updateRoles = {
  /** Says which keys the other roles have. Offline; several, so that neither one lost nor one stolen key decides. */
  root: { keys: 3, threshold: 2 },
  /** Says which keys sign releases and channels. Offline. */
  targets: { keys: 1, threshold: 1 },
  /** Releases and channels; used when something is published. */
  images: { keys: 1, threshold: 1 },
  /** Which metadata belong together; used with images and for renewals. */
  snapshot: { keys: 1, threshold: 1 },
  /** That the repository is of today; used by a timer. */
  timestamp: { keys: 1, threshold: 1 },
} as const satisfies Readonly<Record<string, UpdateRoleSize>>;

/** How many keys a role has and how many of them must sign. */
export interface UpdateRoleSize {
  readonly keys: number;
  readonly threshold: number;
}

export type UpdateRole = keyof typeof updateRoles;

export const updateRoleNames = Object.keys(updateRoles).filter(isUpdateRole);

/** isUpdateRole narrows a text to a role of update keys. */
export function isUpdateRole(text: string): text is UpdateRole {
  return Object.hasOwn(updateRoles, text);
}
