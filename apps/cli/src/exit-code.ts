/** What a command's exit code says. */
export const exitCode = { fine: 0, foundSomethingWrong: 1, usedWrongly: 2, serverUnreachable: 3 } as const;
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
