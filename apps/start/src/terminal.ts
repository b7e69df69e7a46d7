/** Where `npm start` prints. */
export type Terminal = { isTerminal: boolean; columns: () => number; write: (text: string) => void };

/** The line as the terminal shows it without cutting words; elsewhere it stays one line. */
export function folded(line: string, { isTerminal, columns }: Terminal): string {
  if (!isTerminal) return line;
  const lines: string[] = [];
  let rest = line;
  while (rest.length > columns()) {
    const space = rest.lastIndexOf(' ', columns());
    if (space <= INDENT.length) break;
    lines.push(rest.slice(0, space));
    rest = INDENT + rest.slice(space + 1);
  }
  return [...lines, rest].join('\n');
}

const INDENT = '  ';
