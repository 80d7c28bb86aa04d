/**
 * Metrics that are read only when somebody asks: each is a name and a function. Nothing here costs anything between two
 * scrapes. The registry is its own, since several servers may live in one process.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Histogram } from "@holdfast/replica";
import { Counter, Gauge, type Metric, Histogram as PromHistogram, Registry } from "prom-client";

export type Labels = Readonly<Record<string, string>>;

/** One value of a metric with labels. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** One histogram of several with the same bounds. */
export interface LabelledHistogram {
  readonly labels: Labels;
  readonly histogram: Histogram;
}

/** So much text is made in one turn of the event loop, and the metric that goes beyond it. */
const turnChars = 8 * 1024;

export class MetricSet {
  readonly #registry = new Registry();
  readonly #names: string[] = [];

  /** All metrics as text, made in slices, so that calls do not wait for it. */
  async text(): Promise<string> {
    const parts: string[] = [];
    let chars = 0;
    for (const name of this.#names) {
      const part = `${await this.#registry.getSingleMetricAsString(name)}\n`;
      parts.push(part);
      chars += part.length;
      if (chars < turnChars) continue;
      chars = 0;
      await nextTurn();
    }
    return parts.join("");
  }

  counter(name: string, help: string, read: () => number): void {
    this.counters(name, help, [], () => [{ labels: {}, value: read() }]);
  }

  counters(name: string, help: string, labelNames: readonly string[], read: () => Iterable<Sample>): void {
    this.#add(name, new ReadCounter(name, help, labelNames, read));
  }

  gauge(name: string, help: string, read: () => number): void {
    this.gauges(name, help, [], () => [{ labels: {}, value: read() }]);
  }

  gauges(name: string, help: string, labelNames: readonly string[], read: () => Iterable<Sample>): void {
    this.#add(name, new ReadGauge(name, help, labelNames, read));
  }

  histogram(name: string, help: string, histogram: Histogram): void {
    this.histograms(name, help, [], () => [{ labels: {}, histogram }]);
  }

  histograms(name: string, help: string, labelNames: readonly string[], read: () => Iterable<LabelledHistogram>): void {
    this.#add(name, new ReadHistogram(name, help, labelNames, read));
  }

  #add(name: string, metric: Metric): void {
    this.#registry.registerMetric(metric);
    this.#names.push(name);
  }
}

// prom-client would keep each sample under a hash of its labels; a thousand of them, read anew for every scrape, are
// handed over as they are instead.

class ReadCounter extends Counter {
  readonly #read: () => Iterable<Sample>;

  constructor(name: string, help: string, labelNames: readonly string[], read: () => Iterable<Sample>) {
    super({ name, help, labelNames, registers: [] });
    this.#read = read;
  }

  override async get(): ReturnType<Counter["get"]> {
    return { ...(await super.get()), values: [...this.#read()] };
  }
}

class ReadGauge extends Gauge {
  readonly #read: () => Iterable<Sample>;

  constructor(name: string, help: string, labelNames: readonly string[], read: () => Iterable<Sample>) {
    super({ name, help, labelNames, registers: [] });
    this.#read = read;
  }

  override async get(): ReturnType<Gauge["get"]> {
    return { ...(await super.get()), values: [...this.#read()] };
  }
}

interface HistogramValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What the registry makes text of. */
interface HistogramReading {
  readonly name: string;
  readonly help: string;
  readonly type: "histogram";
  readonly aggregator: "sum";
  readonly values: readonly HistogramValue[];
}

/** A histogram of prom-client whose buckets were counted elsewhere. */
class ReadHistogram extends PromHistogram {
  readonly #name: string;
  readonly #help: string;
  readonly #read: () => Iterable<LabelledHistogram>;

  constructor(name: string, help: string, labelNames: readonly string[], read: () => Iterable<LabelledHistogram>) {
    super({ name, help, labelNames, registers: [] });
    this.#name = name;
    this.#help = help;
    this.#read = read;
  }

  /** Where the library itself reads its buckets, for text and for everything else. */
  async getForPromString(): Promise<HistogramReading> {
    const values = [...this.#read()].flatMap((one) => valuesOf(this.#name, one));
    return { name: this.#name, help: this.#help, type: "histogram", aggregator: "sum", values };
  }
}

function valuesOf(name: string, { labels, histogram }: LabelledHistogram): HistogramValue[] {
  const { bounds, count, sum } = histogram;
  const bucket = (le: number | string, value: number): HistogramValue => {
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value };
  };
  return [
    ...histogram.cumulative().map((value, at) => bucket(bounds[at] ?? 0, value)),
    bucket("+Inf", count),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
