export { type OpenToolboxOptions, openToolbox, type Toolbox, type ToolOptions } from './open-toolbox.ts';
export type { Bind, Isolation, SandboxCommand, SandboxOptions } from './sandbox.ts';
