export { addObservation, type Observation, observe, readObservations } from './observation.ts';
export { type RolloutClock, rolloutClocks } from './rollout-clocks.ts';
