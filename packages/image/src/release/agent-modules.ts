import { readFile } from 'node:fs/promises';
import { PlinthError } from '@plinth/base';
import { ioError } from '@plinth/host';
import { parseJson } from '@plinth/updates';
import { z } from 'zod';

const schema = z.object({
  runtime: z.object({
    name: z.string(),
    version: z.string(),
    /** Libraries inside the runtime, by name. */
    components: z.record(z.string(), z.string()),
  }),
  modules: z.array(z.object({ name: z.string(), version: z.string(), license: z.string().optional() })),
});

/** What is inside plinthd: the runtime with its libraries, and the bundled modules. */
export type AgentModules = z.infer<typeof schema>;

/**
 * readAgentModules reads the modules.json that the agent's build leaves beside plinthd.
 * @throws release/incomplete, host/io
 */
export async function readAgentModules(path: string): Promise<AgentModules> {
  const text = await readFile(path, 'utf8').catch((reason: unknown) => {
    throw ioError(reason, `read ${path}`);
  });
  const result = schema.safeParse(parseJson(text));
  if (result.success) return result.data;
  throw new PlinthError(
    'release/incomplete',
    `Cannot list the modules of plinthd: ${path} is not what its build writes, expected runtime and modules`,
    { cause: result.error },
  );
}
