import { z } from 'zod';
import { pathTable } from './integrity/path-table.ts';

/** Put into the bundle by the builder (build/bundle-agent.ts): nothing of it is read at run time. */
declare const PLINTH_BUILD_INFO: unknown;

const schema = z.strictObject({ version: z.string().min(1), pathTable });

/** What the builder knew: the version of the image and its path table. */
export type BuildInfo = z.infer<typeof schema>;

/** readBuildInfo gives what was built in; throws in a program that the builder did not make. */
export function readBuildInfo(): BuildInfo {
  return schema.parse(PLINTH_BUILD_INFO);
}
