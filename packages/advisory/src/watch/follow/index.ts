export { type FollowClock, type FollowOptions, follow, type Look } from './follow.ts';
