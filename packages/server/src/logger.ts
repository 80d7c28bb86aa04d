/**
 * The server's log lines: pino for the machine-readable form, pino-pretty for people. Keys, values and
 * passwords never go into a line.
 */
import { type DestinationStream, type Logger, pino } from "pino";
import pretty from "pino-pretty";

export type { Logger } from "pino";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ["text", "json"] as const;
export type LogFormat = (typeof logFormats)[number];

/**
 * A logger, one line per event. `outputs` are "stdout", "stderr", "default" (stdout), or files, which are appended to.
 * Throws the system's error for a file that cannot be opened.
 */
export function createLogger(level: LogLevel, format: LogFormat, outputs: readonly string[] = ["stdout"]): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const streams = outputs.map((output) => ({ level: "trace" as const, stream: openStream(output, format) }));
  return pino(options, pino.multistream(streams));
}

const standardOutputs: Readonly<Record<string, number>> = { default: 1, stdout: 1, stderr: 2 };

function openStream(output: string, format: LogFormat): DestinationStream {
  const file = pino.destination({ dest: standardOutputs[output] ?? output, sync: true });
  return format === "json"
    ? file
    : pretty({ colorize: false, translateTime: "SYS:HH:MM:ss.l", destination: file, sync: true });
}

/** Says nothing: the default of an embedded server. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}
