/** A request as the routes see it: its path as it is routed, and headers that each of its answers carries. */
import type { PlainHeaders, PlainRequest } from "@holdfast/transport";
import { type Headers, WrappedRequest } from "./wrapped-request.js";

export class RoutedRequest extends WrappedRequest {
  readonly #path: string;
  readonly #further: Headers;

  /** `further` go before the headers of every answer. */
  constructor(request: PlainRequest, path: string, further: Headers) {
    super(request);
    this.#path = path;
    this.#further = further;
  }

  override get path(): string {
    return this.#path;
  }

  override respond(status: number, headers: PlainHeaders, body: Uint8Array | string): void {
    super.respond(status, [...this.#further, ...headers], body);
  }

  override begin(status: number, headers: PlainHeaders): void {
    super.begin(status, [...this.#further, ...headers]);
  }
}
