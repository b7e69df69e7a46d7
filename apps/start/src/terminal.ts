/** Where `npm start` prints. */
export type Terminal = { isTerminal: boolean; columns: () => number; write: (text: string) => void };
