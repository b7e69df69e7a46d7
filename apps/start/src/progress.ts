import { SingleBar } from 'cli-progress';

export type Progress = {
  /** `done` of `total` parts are done; `now` is being worked on. */
  show: (done: number, total: number, now: string) => void;
  stop: () => void;
};

/** A progress bar on a terminal, else a line for each tenth. */
export function createProgress(options: {
  title: string;
  isTerminal: boolean;
  write: (text: string) => void;
}): Progress {
  return options.isTerminal ? bar(options.title) : lines(options);
}

function bar(title: string): Progress {
  const shape = new SingleBar({
    format: `${title} {bar} {percentage}%  {value}/{total}  {now}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    barsize: 20,
    clearOnComplete: true, // what it came to is said in words
    gracefulExit: false, // signals are ours
  });
  let isShown = false;
  return {
    show: (done, total, now) => {
      if (!isShown) shape.start(total, done, { now });
      isShown = true;
      shape.setTotal(total);
      shape.update(done, { now: now.slice(0, 30) });
    },
    stop: () => shape.stop(),
  };
}

function lines({ title, write }: { title: string; write: (text: string) => void }): Progress {
  let shownTenth = -1;
  return {
    show: (done, total, now) => {
      const tenth = total === 0 ? 10 : Math.floor((10 * done) / total);
      if (tenth <= shownTenth) return;
      shownTenth = tenth;
      write(`${title} ${tenth * 10}% (${done}/${total}) ${now}\n`);
    },
    stop: () => {},
  };
}
