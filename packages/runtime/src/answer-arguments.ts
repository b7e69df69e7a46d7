/** What a process that takes no arguments prints and ends with when it gets some; null when it got none. */
export function answerArguments(
  { name, about }: { name: string; about: string },
  given: readonly string[],
): { code: 0 | 2; text: string } | null {
  const [first] = given.filter((argument) => argument !== '--'); // which pnpm hands on
  if (first === undefined) return null;
  const settings = 'Its settings are variables of the environment: see .env.example.';
  if (first === '--help' || first === '-h') return { code: 0, text: `${about} It takes no arguments. ${settings}\n` };
  return { code: 2, text: `${name}: it takes no arguments, and was given ${JSON.stringify(first)}. ${settings}\n` };
}
