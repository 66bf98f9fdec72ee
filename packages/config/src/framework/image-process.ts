import { z } from 'zod';

const LIMITS = { words: 64, word: 4096 } as const;

/** An argument or the value of a variable. */
export const processWord = z.string().max(LIMITS.word);

const words = z.array(processWord).max(LIMITS.words);

/** What runs in a container of an image, where the document says other than the image does. */
export const imageProcess = {
  command: words
    .min(1)
    .describe("The program and its first arguments, in the place of the image's entrypoint.")
    .optional(),
  args: words.describe("Arguments, in the place of the image's own.").optional(),
} as const;
