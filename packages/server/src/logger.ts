/**
 * The server's log lines: pino for the machine-readable form, pino-pretty for people. Keys, values and
 * passwords never go into a line.
 */
import { type Logger, pino } from "pino";
import pretty from "pino-pretty";

export type { Logger } from "pino";

export const logLevels = ["debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

export const logFormats = ["text", "json"] as const;
export type LogFormat = (typeof logFormats)[number];

/** A logger to standard output, one line per event. */
export function createLogger(level: LogLevel, format: LogFormat): Logger {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (format === "json") return pino(options, pino.destination({ dest: 1, sync: true }));
  return pino(options, pretty({ colorize: false, translateTime: "SYS:HH:MM:ss.l", destination: 1, sync: true }));
}

/** Says nothing: the default of an embedded server. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}
