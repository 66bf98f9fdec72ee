import { rolloutAbortCommand } from './rollout-abort.ts';
import { rolloutHaltCommand } from './rollout-halt.ts';
import { rolloutPauseCommand } from './rollout-pause.ts';
import { rolloutPlanCommand } from './rollout-plan.ts';
import { rolloutPromoteCommand } from './rollout-promote.ts';
import { rolloutResumeCommand } from './rollout-resume.ts';
import { rolloutStatusCommand } from './rollout-status.ts';

/** Commands that look at rollouts and steer them, in the order of their help. */
export const rolloutCommands = [
  rolloutPlanCommand,
  rolloutStatusCommand,
  rolloutPauseCommand,
  rolloutResumeCommand,
  rolloutHaltCommand,
  rolloutPromoteCommand,
  rolloutAbortCommand,
];
