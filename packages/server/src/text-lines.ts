/**
 * Log lines for people, made of pino's lines for programs: one with the time, the level and the message, then one for each
 * thing that was told with it, stacks over several.
 */

const levels: Readonly<Record<number, string>> = {
  10: "TRACE",
  20: "DEBUG",
  30: "INFO",
  40: "WARN",
  50: "ERROR",
  60: "FATAL",
};

interface Line {
  readonly level: number;
  /** As ISO 8601 has it. */
  readonly time: string;
  readonly msg?: unknown;
}

/** `json` is one line as pino writes it. The time is shown in this machine's zone. */
export function textOfLine(json: string): string {
  const { level, time, msg = "", ...told } = JSON.parse(json) as Line;
  const head = `[${clockTime(new Date(time))}] ${levels[level] ?? level}: ${msg}`.trimEnd();
  const rows = Object.entries(told).map(([name, value]) => `    ${name}: ${textOfValue(value)}\n`);
  return `${head}\n${rows.join("")}`;
}

function clockTime(time: Date): string {
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, "0"));
  return `${parts.join(":")}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

function textOfValue(value: unknown): string {
  const lines = JSON.stringify(value, undefined, 2).split("\n").flatMap(unfoldedStack);
  return lines.join("\n    ");
}

/** A stack is one long string in JSON; any other line is as it was. */
function unfoldedStack(line: string): string[] {
  const match = /^( *"stack":) (".*"),?$/.exec(line);
  if (match === null) return [line];
  const [, name = "", text = ""] = match;
  const indent = " ".repeat(name.length - '"stack":'.length + 4);
  return [name, ...(JSON.parse(text) as string).split("\n").map((row) => indent + row)];
}
