import fc from 'fast-check';

// Loaded before each test file by `plinth test`: the same cases for everybody, so that nothing passes or fails by luck. A
// case that is looked for is another seed's; a file run by itself (node --test FILE) takes a new one each time.

/** Any number will do; this one is the date of the decision. */
const SEED = 20_261_123;

const given = process.env['PLINTH_TEST_SEED'] ?? '';
if (!/^(random|\d{1,9})?$/.test(given)) {
  throw new Error(
    `Cannot seed the property tests: PLINTH_TEST_SEED is "${given}", expected a number or random`,
  );
}
if (given !== 'random')
  fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: given === '' ? SEED : Number(given) });
