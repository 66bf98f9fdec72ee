/** parseKernelConfig reads a kernel's .config: the options that are set, by name without "CONFIG_". */
export function parseKernelConfig(text: string): Record<string, string> {
  const options: Record<string, string> = {};
  for (const [, name, value] of text.matchAll(/^CONFIG_(\w+)=(.*)$/gm)) {
    if (name !== undefined && value !== undefined) options[name] = value.replace(/^"(.*)"$/, '$1');
  }
  return options;
}
