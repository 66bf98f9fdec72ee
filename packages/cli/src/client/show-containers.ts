import {
  type Container,
  ContainerState,
  ListContainersResponseSchema,
  ListImagesResponseSchema,
  ListPodsResponseSchema,
  messageData,
  type Pod,
} from '@plinth/api';
import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { table } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import type { Style } from '../output/style.ts';
import { formatBytes, formatDuration } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';

/** The word for the state of a container; "unknown" for one that this client or the runtime does not know. */
function containerStateName(state: ContainerState): 'created' | 'running' | 'exited' | 'unknown' {
  if (state === ContainerState.CREATED) return 'created';
  if (state === ContainerState.RUNNING) return 'running';
  return state === ContainerState.EXITED ? 'exited' : 'unknown';
}

/** showPods asks a node for its pods. @throws cli/context-missing, api/…, containers/… */
export async function showPods(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.containers.pods());
  return {
    data: messageData(ListPodsResponseSchema, answer),
    names: answer.pods.map(({ namespace, name }) => printable(`${namespace}/${name}`)),
    view: [
      table(
        [
          { header: 'NAME', value: ({ name }) => name },
          { header: 'NAMESPACE', value: ({ namespace }) => namespace },
          { header: 'READY', value: ({ ready }) => (ready ? 'yes' : 'no'), mark: readyMark },
          { header: 'ADDRESS', value: ({ address }) => address },
          { header: 'UID', value: ({ uid }) => uid, wide: true },
          { header: 'ID', value: ({ id }) => id.slice(0, 13), wide: true },
          { header: 'AGE', value: ({ createdAt }) => age(createdAt) },
        ],
        answer.pods,
        'The node has no pods.',
      ),
    ],
  };
}

/** showContainers asks a node for its containers, those that ended included. @throws cli/context-missing, api/…, containers/… */
export async function showContainers(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.containers.containers());
  return {
    data: messageData(ListContainersResponseSchema, answer),
    names: answer.containers.map(({ namespace, pod, name }) => printable(`${namespace}/${pod}/${name}`)),
    view: [
      table(
        [
          { header: 'NAME', value: ({ name }) => name },
          { header: 'POD', value: ({ pod }) => pod },
          { header: 'NAMESPACE', value: ({ namespace }) => namespace },
          { header: 'STATE', value: ({ state }) => containerStateName(state), mark: stateMark },
          { header: 'RESTARTS', value: ({ attempt }) => String(attempt), align: 'right' },
          { header: 'IMAGE', value: ({ image }) => image, wide: true },
          { header: 'ID', value: ({ id }) => id.slice(0, 13), wide: true },
          { header: 'AGE', value: ({ createdAt }) => age(createdAt) },
        ],
        answer.containers,
        'The node has no containers.',
      ),
    ],
  };
}

/** showImages asks a node for its images. @throws cli/context-missing, api/…, containers/… */
export async function showImages(options: AskOptions, context: CommandContext): Promise<CommandResult> {
  const answer = await askNode(options, context, (node) => node.containers.images());
  const rows = answer.images.map((image) => ({
    ...image,
    name: image.tags[0] ?? image.digests[0] ?? image.id,
  }));
  return {
    data: messageData(ListImagesResponseSchema, answer),
    names: rows.map(({ name }) => printable(name)),
    view: [
      table(
        [
          { header: 'NAME', value: ({ name }) => name },
          { header: 'ID', value: ({ id }) => id.replace(/^sha256:/, '').slice(0, 13) },
          { header: 'SIZE', value: ({ sizeBytes }) => formatBytes(Number(sizeBytes)), align: 'right' },
          { header: 'PINNED', value: ({ pinned }) => (pinned ? 'yes' : 'no') },
          { header: 'DIGEST', value: ({ digests }) => digests[0] ?? '', wide: true },
        ],
        rows,
        'The node has no images.',
      ),
    ],
  };
}

function readyMark({ ready }: Pod, style: Style) {
  return ready ? style.good : style.faint;
}

function stateMark({ state }: Container, style: Style) {
  const word = containerStateName(state);
  return word === 'running' ? style.good : word === 'unknown' ? style.doubtful : style.faint;
}

function age(time: Pod['createdAt']): string {
  return time ? formatDuration(Math.max(Date.now() - Number(time.seconds) * 1000, 0)) : '';
}
