import type { NodeConsole } from '../console.ts';
import type { EventBus, EventTopic } from './event-bus.ts';

/** Parts whose news on the console are events too. What they say begins with their name and a colon. */
const TOPICS: Readonly<Record<string, EventTopic>> = {
  config: 'config',
  machine: 'act',
  maintenance: 'config',
  update: 'act',
};

/**
 * announce is a console whose news of config and of acts on the machine are events as well: whoever watches a node over
 * its API reads what a person at its console reads.
 */
export function announce(console: NodeConsole, events: Pick<EventBus, 'publish'>): NodeConsole {
  return {
    say(line) {
      console.say(line);
      const [, part = '', text = ''] = /^([a-z]+): (.*)$/s.exec(line) ?? [];
      const topic = Object.hasOwn(TOPICS, part) ? TOPICS[part] : undefined;
      if (topic) events.publish({ topic, subject: part, state: 'news', text });
    },
  };
}
