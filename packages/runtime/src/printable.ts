/** What Procore and its users say may hold anything, also what would steer the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '\u00b7');
}
