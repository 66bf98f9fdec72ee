// One build as a process of its own: node bench/lib/plinth-process.ts OS_DIR STAGES_DIR KEYS_DIR
// Prints what was built and how long each stage took, as JSON.
import { join } from 'node:path';
import type { Progress } from '@plinth/base';
import type { PlinthBuild, Stage } from './build-plinth.ts';
import { plinthImage } from './plinth-image.ts';

const [osDir = '', stagesDir = '', keysDir = ''] = process.argv.slice(2);
const stages: Stage[] = [];
const image = await plinthImage({ osDir, stagesDir, keysDir }, stageTimer());
const built: Omit<PlinthBuild, 'wallMs'> = {
  stages,
  diskPath: image.diskPath,
  agentPath: join(image.tree.agentDir, 'plinthd'),
};
console.log(JSON.stringify(built));

/** Progress that only notes how long each step took. */
function stageTimer(): Progress {
  return {
    async step(title, work) {
      const startedMs = performance.now();
      let cached = false;
      const markCached = () => {
        cached = true;
      };
      try {
        return await work({ ...stageTimer(), cached: markCached });
      } finally {
        stages.push({ title, ms: performance.now() - startedMs, cached });
      }
    },
    note() {},
    cached() {},
    warn() {},
  };
}
