/** A strict reader of Prometheus's text format 0.0.4: what it does not understand, it throws. */

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Map<string, number>;
}

const name = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const label = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"`;
const sampleLine = new RegExp(`^(${name})((?:\\{(?:${label}(?:,${label})*)?\\})?) ([^ ]+)$`);
const helpLine = new RegExp(`^# HELP (${name}) (.+)$`);
const typeLine = new RegExp(`^# TYPE (${name}) (counter|gauge|histogram|summary)$`);

/** The metrics by name; samples by their name and labels as written. */
export function readExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new SyntaxError("the last line is cut off");
  const families = new Map<string, Family>();
  let help: RegExpExecArray | null = null;
  let current: { name: string; family: Family } | undefined;
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const type = typeLine.exec(line);
    if (line.startsWith("# HELP ")) help = helpLine.exec(line);
    else if (type !== null) current = begin(families, type, help);
    else addSample(current, line);
  }
  return families;
}

function begin(families: Map<string, Family>, type: RegExpExecArray, help: RegExpExecArray | null) {
  const [, metric = "", kind = ""] = type;
  if (help?.[1] !== metric) throw new SyntaxError(`${metric} has no HELP`);
  if (families.has(metric)) throw new SyntaxError(`${metric} comes twice`);
  const family: Family = { type: kind, help: help[2] ?? "", samples: new Map() };
  families.set(metric, family);
  return { name: metric, family };
}

function addSample(current: { name: string; family: Family } | undefined, line: string): void {
  const sample = sampleLine.exec(line);
  if (sample === null || current === undefined) throw new SyntaxError(`not a sample: ${line}`);
  const [, metric = "", labels = "", value = ""] = sample;
  if (!belongs(metric, current.name, current.family.type)) throw new SyntaxError(`${metric} under ${current.name}`);
  if (value !== "NaN" && !/^[+-]?(Inf|\d+(\.\d+)?(e[+-]?\d+)?)$/.test(value)) throw new SyntaxError(`value: ${line}`);
  if (current.family.samples.has(metric + labels)) throw new SyntaxError(`twice: ${line}`);
  current.family.samples.set(metric + labels, Number(value.replace("Inf", "Infinity")));
}

function belongs(metric: string, family: string, type: string): boolean {
  if (type === "histogram") return ["_bucket", "_sum", "_count"].some((suffix) => metric === family + suffix);
  if (type === "summary" && ["_sum", "_count"].some((suffix) => metric === family + suffix)) return true;
  return metric === family;
}
