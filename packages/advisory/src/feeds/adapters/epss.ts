import { normaliseId } from '../../model/index.ts';
import type { FlawDetail } from '../feed-content.ts';
import { type Adapter, DAY_MS, feedInvalid, isoTime, onlyOne } from './adapter.ts';

const HEAD = /^#model_version:[^,\n]{1,40},score_date:([^,\n]{1,40})\r?\ncve,epss,percentile\r?\n/;

/** FIRST's daily EPSS scores: CSV with a line about the model before it. The document is the text. */
export const epss: Adapter = {
  name: 'epss',
  validityMs: 3 * DAY_MS,
  recognises: (document) => typeof document === 'string' && HEAD.test(document),
  read: (documents) => {
    const text = String(onlyOne(documents, 'epss'));
    const [head = '', at = ''] = HEAD.exec(text) ?? [];
    const date = isoTime(at);
    if (date === undefined) throw feedInvalid('epss', 'its first line names no date');
    if (!text.endsWith('\n')) throw feedInvalid('epss', 'its last line is cut off');
    const details = text
      .slice(head.length, -1)
      .split('\n')
      .map((line): FlawDetail => {
        const [, name = '', probability = '', percentile = ''] =
          /^([^,]{1,40}),([01](?:\.\d{1,20})?),([01](?:\.\d{1,20})?)\r?$/.exec(line) ?? [];
        const id = normaliseId(name);
        if (id === undefined)
          throw feedInvalid(
            'epss',
            `a line has a shape that is not known: ${JSON.stringify(line.slice(0, 60))}`,
          );
        const prediction = { probability: Number(probability), percentile: Number(percentile), at: date };
        return { feed: 'epss', id, aliases: [], state: 'active', severities: [], prediction };
      });
    return { date, claims: [], details };
  },
};
