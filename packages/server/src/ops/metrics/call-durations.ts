/** How long the calls of each method were open. Kept only where it is asked for: it reads the clock once per call. */
import { Histogram } from "@holdfast/replica";
import type { CallEndListener } from "@holdfast/transport";

/** Prometheus's usual bounds, in seconds, which etcd has too. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export class CallDurations {
  readonly #byPath = new Map<string, Histogram>();

  /** For `GrpcServerOptions.onCallEnded`. */
  readonly observe: CallEndListener = (path, openMs) => {
    this.of(path).observe(openMs / 1_000);
  };

  /** The seconds of one method's calls. */
  of(path: string): Histogram {
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const made = new Histogram(bounds);
    this.#byPath.set(path, made);
    return made;
  }
}
