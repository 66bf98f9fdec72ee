/** parseJson reads JSON from outside; undefined when it is none, which no schema accepts. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is wrong with it does not matter: the caller says what was expected.
    return undefined;
  }
}
