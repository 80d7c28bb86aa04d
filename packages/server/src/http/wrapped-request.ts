/** A request that stands before another and is like it, but for what a subclass changes. */
import type { CancelReason, Peer, PlainHeaders, PlainRequest } from "@holdfast/transport";

export type Headers = readonly (readonly [name: string, value: string])[];

export abstract class WrappedRequest implements PlainRequest {
  protected readonly request: PlainRequest;

  constructor(request: PlainRequest) {
    this.request = request;
  }

  get method(): string {
    return this.request.method;
  }

  get path(): string {
    return this.request.path;
  }

  get authority(): string | undefined {
    return this.request.authority;
  }

  get headers(): Headers {
    return this.request.headers;
  }

  get body(): Uint8Array {
    return this.request.body;
  }

  get peer(): Peer {
    return this.request.peer;
  }

  get unsentBytes(): number {
    return this.request.unsentBytes;
  }

  get congested(): boolean {
    return this.request.congested;
  }

  respond(status: number, headers: PlainHeaders, body: Uint8Array | string): void {
    this.request.respond(status, headers, body);
  }

  begin(status: number, headers: PlainHeaders): void {
    this.request.begin(status, headers);
  }

  write(piece: Uint8Array | string): void {
    this.request.write(piece);
  }

  finish(): void {
    this.request.finish();
  }

  onCancel(listener: (reason: CancelReason) => void): void {
    this.request.onCancel(listener);
  }

  onDrain(listener: () => void): void {
    this.request.onDrain(listener);
  }

  onTaken(listener: () => void): void {
    this.request.onTaken(listener);
  }
}
