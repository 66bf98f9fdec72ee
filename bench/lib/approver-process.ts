// plinthd's approver of certificate requests as a process of its own: node bench/lib/approver-process.ts ADMIN_CONF PORT
// It says what it denies or leaves, and each time the API server cannot be asked.
import {
  nodeSys,
  openAdmission,
  openKubeClient,
  readAdminCredentials,
  runApprover,
} from '@plinth/agent/testing';
import { interrupted } from './interrupted.ts';

const [adminConf = '', port = ''] = process.argv.slice(2);
const endpoint = {
  ...(await readAdminCredentials(nodeSys(), adminConf)),
  host: '127.0.0.1',
  port: Number(port),
};
// Its pauses do not keep a process alive; in plinthd the server does.
const alive = setInterval(() => {}, 60_000);
const client = openKubeClient({ endpoint: async () => endpoint });
await runApprover(
  {
    client,
    admission: openAdmission({
      client,
      nowMs: () => performance.now(),
      say: console.error,
      audit: () => {},
    }),
    self: { nodeId: 'control', nodeName: 'node-1', nodeAddress: '192.0.2.1', role: 'control-plane' },
    nowMs: Date.now,
  },
  {
    signal: interrupted,
    onDecision({ request, judgement }) {
      if (judgement.verdict !== 'approve')
        console.error(`${request}: ${judgement.verdict}: ${judgement.reason}`);
    },
    onFailure: (reason) => console.error(reason === undefined ? 'asks again' : String(reason)),
  },
);
clearInterval(alive);
