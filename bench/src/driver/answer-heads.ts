/**
 * Reads the header blocks of one connection's answers: HTTP status, gRPC status. A block that was seen before is found
 * by its bytes (the decoder remembers it), and what was read of it then hangs on its list.
 */
import { HpackDecoder } from "@holdfast/transport/testing";

/** What one header block of an answer says. */
export interface AnswerHead {
  /** 0 in trailers. */
  readonly httpStatus: number;
  /** -1 where it is absent: in the headers in front of messages. */
  readonly grpcStatus: number;
  readonly grpcMessage: string;
}

export class AnswerHeads {
  readonly #decoder = new HpackDecoder({ headerListBytesMax: 64 * 1024, fieldsMax: 64 });

  /** Reads `block[from, to)`; every block must be read, in order. @throws HpackError for a malformed one. */
  read(block: Uint8Array, from: number, to: number): AnswerHead {
    const list = this.#decoder.decode(block, from, to);
    if (list.attachment === undefined) {
      list.attachment = {
        httpStatus: Number(list.get(":status") ?? 0),
        grpcStatus: Number(list.get("grpc-status") ?? -1),
        grpcMessage: decodeURIComponent(list.get("grpc-message") ?? ""),
      } satisfies AnswerHead;
    }
    return list.attachment as AnswerHead;
  }
}
