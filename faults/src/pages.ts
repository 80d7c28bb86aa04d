/** What a server says on its pages: health and metrics. */

/** One answer over HTTP. */
export interface Page {
  readonly status: number;
  readonly body: string;
}

export async function getPage(endpoint: string, path: string): Promise<Page> {
  const response = await fetch(`http://${endpoint}${path}`, { signal: AbortSignal.timeout(10_000) });
  return { status: response.status, body: await response.text() };
}

/** The metrics of a server by name, labels included as they are printed: `name{label="x"}`. */
export async function metricsOf(endpoint: string): Promise<ReadonlyMap<string, number>> {
  const { body } = await getPage(endpoint, "/metrics");
  const lines = body.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}
