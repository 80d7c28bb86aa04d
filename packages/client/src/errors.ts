/** What can go wrong with a connection, typed. */
import type { StatusCode } from "@holdfast/protocol";

/** The server, or the connection to it, ended a call with anything but OK. */
export class EtcdError extends Error {
  /** gRPC status code. */
  readonly code: StatusCode;
  /** The text as it came; clients of etcd tell errors apart by it (CLI-3). */
  readonly text: string;
  /** The call's path, "/package.Service/Method". */
  readonly path: string;

  constructor(code: number, text: string, path: string) {
    super(text === "" ? `the call failed with code ${code}` : text);
    this.name = "EtcdError";
    this.code = code as StatusCode;
    this.text = text;
    this.path = path;
  }

  /** Whether it is this one of the known errors. */
  is(known: { readonly wireMessage: string }): boolean {
    return this.text === known.wireMessage;
  }
}

/** No endpoint could be reached. The message says of each why. */
export class ConnectError extends Error {
  constructor(reasons: readonly string[], options?: ErrorOptions) {
    super(`cannot connect to ${reasons.join("; ")}`, options);
    this.name = "ConnectError";
  }
}

/** An endpoint, a file or an option that cannot be used. The message names it. */
export class ClientOptionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "ClientOptionError";
  }
}
