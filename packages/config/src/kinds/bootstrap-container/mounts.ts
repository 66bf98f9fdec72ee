/** A place of the node that a bootstrap container may see. */
export interface AllowedPlace {
  readonly path: string;
  /** Whether the folders below may be named as well. */
  readonly below: boolean;
  readonly writable: boolean;
}

/** All of them. What is not here is either the node's own business or secret. */
export const allowedPlaces: readonly AllowedPlace[] = [
  { path: '/var/local', below: true, writable: true },
  { path: '/usr', below: false, writable: false },
  { path: '/etc/os-release', below: false, writable: false },
  { path: '/etc/ssl/certs', below: false, writable: false },
];

const BELOW = /^(?:\/[A-Za-z0-9_][A-Za-z0-9._-]{0,62}){1,8}$/;

/** placeOf gives the allowed place that a path is or lies below; undefined for any other path. */
export function placeOf(path: string): AllowedPlace | undefined {
  return allowedPlaces.find(
    (place) =>
      path === place.path ||
      (place.below && path.startsWith(`${place.path}/`) && BELOW.test(path.slice(place.path.length))),
  );
}
