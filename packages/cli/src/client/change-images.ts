import type { CommandContext } from '../framework/context.ts';
import type { CommandResult } from '../framework/result.ts';
import { plainText } from '../output/blocks.ts';
import { printable } from '../output/printable.ts';
import { formatBytes } from '../output/units.ts';
import { type AskOptions, askNode } from './ask-node.ts';

/** pullOnNode lets a node pull an image and shows how far it is. @throws cli/context-missing, api/…, containers/… */
export async function pullOnNode(
  image: string,
  options: AskOptions & { readonly pullSeconds: number },
  context: CommandContext,
): Promise<CommandResult> {
  let imageId = '';
  await context.progress.step(`Pull ${printable(image)}`, (step) =>
    askNode(options, context, async (node) => {
      for await (const now of node.containers.pull(image, options.pullSeconds * 1000)) {
        imageId = now.imageId;
        const [received, total] = [Number(now.receivedBytes), Number(now.totalBytes)];
        if (total > 0) step.note(`${formatBytes(received)} of ${formatBytes(total)}`);
      }
    }),
  );
  return {
    data: { image, imageId },
    names: [image],
    view: [plainText(`${printable(image)} is there: ${printable(imageId)}`)],
  };
}

/** removeFromNode removes an image that nothing uses. @throws cli/context-missing, api/…, containers/… */
export async function removeFromNode(
  image: string,
  options: AskOptions,
  context: CommandContext,
): Promise<CommandResult> {
  const imageId = await askNode(options, context, (node) => node.containers.remove(image));
  return {
    data: { image, imageId },
    names: [image],
    view: [plainText(`${printable(image)} is removed: ${printable(imageId)}`)],
  };
}
