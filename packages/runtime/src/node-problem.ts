const OLDEST_MAJOR = 24;

/** Says what is wrong with this version of Node (`process.version`), or null. */
export function nodeProblem(version: string): string | null {
  const major = Number(/^v?(\d+)\./.exec(version)?.[1]);
  if (major >= OLDEST_MAJOR) return null;
  return `needs Node ${OLDEST_MAJOR} or newer, but this is ${version}: start it with pnpm or npm (\`npm start\`, \`pnpm worker\`, …), whose scripts use the Node of the workspace`;
}
