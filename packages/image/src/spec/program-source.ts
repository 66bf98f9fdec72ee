import { z } from 'zod';

/** Where a program comes from: "component/program" of go/components.yaml. */
export const programSource = z
  .string()
  .regex(/^[a-z0-9.{}-]+\/[\w.-]+$/, 'expected component/program, or package/name');

/** sourceOf splits "component/program"; {minor} stands for the minor of a layer. */
export function sourceOf(from: string, minor = ''): { owner: string; program: string } {
  const [owner = '', program = ''] = from.replaceAll('{minor}', minor).split('/');
  return { owner, program };
}
