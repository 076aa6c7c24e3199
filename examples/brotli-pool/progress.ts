/** What is seen while the runs go on: a bar each in a terminal, a line each elsewhere, nothing at all in silence. */
import type { WriteStream } from 'node:tty';
import { Presets, SingleBar } from 'cli-progress';
import { count, seconds } from './format.ts';

export interface Progress {
  start(label: string, total: number): void;
  update(done: number): void;
  /** Ends what `start` began; also after an interrupt, when nothing may be running. */
  stop(took?: number): void;
}

const LABEL_WIDTH = 24;

export function createProgress(stream: NodeJS.WriteStream, silent: boolean): Progress {
  if (stream.isTTY) return barsOn(stream);
  return silent ? { start() {}, update() {}, stop() {} } : linesOn(stream);
}

function barsOn(stream: WriteStream): Progress {
  let bar: SingleBar | null = null;
  let total = 0;
  const room = (stream.columns || 80) - LABEL_WIDTH - 30;
  const text = (done: number, time: string) => ({
    text: `${count(done).padStart(count(total).length)} of ${count(total)}  ${time}`,
  });
  return {
    start(label, requests) {
      total = requests;
      bar = new SingleBar(
        {
          stream,
          format: `  ${label.padEnd(LABEL_WIDTH)} {bar}  {text}`,
          barsize: Math.max(8, Math.min(28, room)),
          hideCursor: true,
          emptyOnZero: true,
        },
        Presets.shades_classic,
      );
      bar.start(total, 0, text(0, ''));
    },
    update(done) {
      bar?.update(done, text(done, ''));
    },
    stop(took) {
      if (took !== undefined) bar?.update(total, text(total, seconds(took)));
      bar?.stop();
      bar = null;
    },
  };
}

function linesOn(stream: NodeJS.WriteStream): Progress {
  let label = '';
  let total = 0;
  return {
    start(name, requests) {
      label = name;
      total = requests;
    },
    update() {},
    stop(took) {
      if (took === undefined) return;
      stream.write(`  ${label.padEnd(LABEL_WIDTH)} ${count(total)} requests in ${seconds(took)}\n`);
    },
  };
}
