/** A request as the routes see it: its path as it is routed, and headers that each of its answers carries. */
import type { CancelReason, Peer, PlainHeaders, PlainRequest } from "@holdfast/transport";

export type Headers = readonly (readonly [name: string, value: string])[];

export class RoutedRequest implements PlainRequest {
  readonly path: string;
  readonly #request: PlainRequest;
  readonly #further: Headers;

  /** `further` go before the headers of every answer. */
  constructor(request: PlainRequest, path: string, further: Headers) {
    this.path = path;
    this.#request = request;
    this.#further = further;
  }

  get method(): string {
    return this.#request.method;
  }

  get authority(): string | undefined {
    return this.#request.authority;
  }

  get headers(): Headers {
    return this.#request.headers;
  }

  get body(): Uint8Array {
    return this.#request.body;
  }

  get peer(): Peer {
    return this.#request.peer;
  }

  get unsentBytes(): number {
    return this.#request.unsentBytes;
  }

  get congested(): boolean {
    return this.#request.congested;
  }

  respond(status: number, headers: PlainHeaders, body: Uint8Array | string): void {
    this.#request.respond(status, [...this.#further, ...headers], body);
  }

  begin(status: number, headers: PlainHeaders): void {
    this.#request.begin(status, [...this.#further, ...headers]);
  }

  write(piece: Uint8Array | string): void {
    this.#request.write(piece);
  }

  finish(): void {
    this.#request.finish();
  }

  onCancel(listener: (reason: CancelReason) => void): void {
    this.#request.onCancel(listener);
  }

  onDrain(listener: () => void): void {
    this.#request.onDrain(listener);
  }
}
