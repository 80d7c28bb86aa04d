/**
 * Log lines for programs, and the files they go to: one JSON object a line, as pino writes them, of which this is the small part that
 * a server uses. To load pino took a twelfth of a start, and a tenth of that of an empty folder.
 */
import { openSync, writeSync } from "node:fs";

/** Where a server logs: what is told, and a message; or a message alone. A logger of pino is one. */
export interface Logger {
  debug(told: object | string, message?: string): void;
  info(told: object | string, message?: string): void;
  warn(told: object | string, message?: string): void;
  error(told: object | string, message?: string): void;
  fatal(told: object | string, message?: string): void;
}

/** By their numbers in lines, from the least. */
export const levelNumbers = { debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;

type Level = keyof typeof levelNumbers;

/** A logger that writes nothing. */
export function silentLogger(): Logger {
  return { debug: sayNothing, info: sayNothing, warn: sayNothing, error: sayNothing, fatal: sayNothing };
}

/**
 * A logger that hands each line of `least` and above, as JSON with its end, to `write`. `errorOf` says what is written of what is told as
 * `err`.
 */
export function jsonLogger(
  least: Level | "silent",
  errorOf: (error: unknown) => unknown,
  write: (line: string) => void,
): Logger {
  const logger = silentLogger();
  if (least === "silent") return logger;
  for (const level of Object.keys(levelNumbers) as Level[]) {
    const number = levelNumbers[level];
    if (number < levelNumbers[least]) continue;
    logger[level] = (told: object | string, message?: string) => write(lineOf(number, told, message, errorOf));
  }
  return logger;
}

function sayNothing(): void {}

function lineOf(
  level: number,
  told: object | string,
  message: string | undefined,
  errorOf: (error: unknown) => unknown,
): string {
  const line: Record<string, unknown> = { level, time: new Date().toISOString() };
  if (typeof told === "string") line.msg = told;
  else {
    for (const [name, value] of Object.entries(told)) line[name] = name === "err" ? errorOf(value) : value;
    if (message !== undefined) line.msg = message;
  }
  return `${JSON.stringify(line, writable)}\n`;
}

/** JSON has no whole numbers of any size; programs read them from a text. */
function writable(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

/** How long to wait before writing again to somebody who does not read fast enough. */
const fullPipeWaitMs = 10;
const nobody = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** Where lines go. */
export class LineFile {
  readonly #file: number;

  /** `target` is an open file, or the path of one, which is appended to. Throws the system's error. */
  constructor(target: number | string, mode: number) {
    this.#file = typeof target === "number" ? target : openSync(target, "a", mode);
  }

  /** Writes a line before it returns. A line that cannot be written is lost: nothing that is served depends on it. */
  write(line: string): void {
    const bytes = Buffer.from(line);
    for (let written = 0; written < bytes.length; ) {
      try {
        written += writeSync(this.#file, bytes, written);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
        Atomics.wait(nobody, 0, 0, fullPipeWaitMs);
      }
    }
  }
}
