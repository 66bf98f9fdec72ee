import { z } from 'zod';

const LABEL = '[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*';
const HOST = `(?:localhost|${LABEL}(?:\\.${LABEL})+|${LABEL}(?=:)|\\[[0-9a-fA-F:]+\\])(?::[1-9][0-9]{0,4})?`;
const PART = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const TAG = ':[A-Za-z0-9_][A-Za-z0-9._-]{0,127}';
const PINNED = new RegExp(`^(?=.{1,512}$)${HOST}/${PART}(?:/${PART})*(?:${TAG})?@sha256:[0-9a-f]{64}$`);

/** An image by its registry and its digest: what it holds cannot change afterwards. A tag may stand before the digest, for people. */
export const pinnedImage = z
  .string()
  .regex(
    PINNED,
    'expected an image with its registry and digest: registry.example/tools@sha256:… (64 hexadecimal digits)',
  );
