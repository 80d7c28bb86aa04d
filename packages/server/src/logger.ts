/**
 * The server's log lines: made by pino for programs, and of those by `text-lines.ts` for people. Keys, values and
 * passwords never go into a line.
 */
import { type DestinationStream, type Logger, pino } from "pino";
import { textOfLine } from "./text-lines.js";

export type { Logger } from "pino";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ["text", "json"] as const;
export type LogFormat = (typeof logFormats)[number];

/** A new log file is its owner's alone: lines hold no secret, but tell who connects. One that is there keeps its mode. */
const fileMode = 0o600;

/**
 * A logger, one line per event. `outputs` are "stdout", "stderr", "default" (stdout), or files, which are appended to.
 * Throws the system's error for a file that cannot be opened.
 */
export function createLogger(level: LogLevel, format: LogFormat, outputs: readonly string[] = ["stdout"]): Logger {
  const serializers = { err: plainError };
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers };
  const streams = outputs.map((output) => ({ level: "trace" as const, stream: openStream(output, format) }));
  return pino(options, pino.multistream(streams));
}

const standardOutputs: Readonly<Record<string, number>> = { default: 1, stdout: 1, stderr: 2 };

function openStream(output: string, format: LogFormat): DestinationStream {
  const file = pino.destination({ dest: standardOutputs[output] ?? output, sync: true, mode: fileMode });
  return format === "json" ? file : { write: (line) => file.write(textOfLine(line)) };
}

/** How deep causes are followed. */
const causesMax = 5;

/**
 * What a line says of an error: name, message, stack, the system's code, and the same of its cause. Whatever else hangs on
 * it stays out, and so does the message of an assertion that was made of the values compared: either may hold a key, a
 * value or worse.
 */
export function plainError(error: unknown, causes = causesMax): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const {
    name,
    message,
    stack = "",
    cause,
    code,
    generatedMessage,
  } = error as NodeJS.ErrnoException & {
    readonly generatedMessage?: boolean;
  };
  const isMadeOfValues = generatedMessage === true;
  return {
    type: name,
    message: isMadeOfValues ? "an assertion failed" : message,
    stack: isMadeOfValues ? stack.slice(Math.max(0, stack.search(/^ {4}at /m))) : stack,
    ...(typeof code === "string" ? { code } : {}),
    ...(cause === undefined || causes === 0 ? {} : { cause: plainError(cause, causes - 1) }),
  };
}

/** Says nothing: the default of an embedded server. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}
