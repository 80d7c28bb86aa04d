/** What a page is to the HTTP door: something that is offered each request and takes those it knows. */
import type { PlainRequest } from "@holdfast/transport";

/** The address a request came in at. */
export interface Door {
  /** "http" is everything but gRPC, "metrics" only the pages for monitoring (etcd-v3-wire.md 4.9). */
  readonly serves: "all" | "http" | "metrics";
  /** Whether it speaks TLS. */
  readonly secure: boolean;
}

/** True if the request was taken: answered, now or later. */
export type Route = (request: PlainRequest, door: Door) => boolean;
