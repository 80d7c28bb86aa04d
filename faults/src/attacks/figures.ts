/** What the server tells of itself at /metrics, as numbers by name. */
import { get } from "node:http";

export type Figures = ReadonlyMap<string, number>;

/** Reads /metrics. Samples with labels are added up under their name. */
export async function readFigures(host: string, port: number): Promise<Figures> {
  const text = await new Promise<string>((resolve, reject) => {
    const request = get({ host, port, path: "/metrics", agent: false, timeout: 20_000 }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve(body));
      response.on("error", reject);
    });
    request.on("timeout", () => request.destroy(new Error("no answer from /metrics")));
    request.on("error", reject);
  });
  return parse(text);
}

function parse(text: string): Figures {
  const figures = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^([a-z_0-9]+)(?:\{[^}]*\})? ([^ ]+)$/.exec(line);
    if (match === null) continue;
    const [, name = "", value] = match;
    figures.set(name, (figures.get(name) ?? 0) + Number(value));
  }
  return figures;
}

export function figure(figures: Figures, name: string): number {
  const value = figures.get(name);
  if (value === undefined) throw new Error(`/metrics has no ${name}`);
  return value;
}
