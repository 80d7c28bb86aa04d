/** Every bound of the client, with its default. */
import type { TransportLimits } from "@holdfast/transport";

export interface ClientLimits {
  /** Time for one endpoint to be reached, TLS included. */
  readonly connectMs: number;
  /** Largest answer that is taken (CLI-12). */
  readonly answerBytesMax: number;
  /** Bytes of a stream's messages that may wait to be read before the server is made to wait. */
  readonly streamWaitingBytes: number;
  /** How often one call may be sent anew because the server certainly never looked at it. */
  readonly unseenRetriesMax: number;
}

export const defaultClientLimits: ClientLimits = {
  connectMs: 5_000,
  answerBytesMax: 2 ** 31 - 1,
  streamWaitingBytes: 1024 * 1024,
  unseenRetriesMax: 3,
};

/** Half of these windows is what may be on its way unacknowledged; answers are long here and calls few. */
const streamReceiveWindowBytes = 1024 * 1024;
const connectionReceiveWindowBytes = 4 * 1024 * 1024;

/** The limits of the connection below. An answer that is still coming takes up to twice its length while it is put together. */
export function transportLimits({ answerBytesMax }: ClientLimits): Partial<TransportLimits> {
  return {
    messageBytesMax: answerBytesMax,
    bufferedBytesPerConnectionMax: 2 * answerBytesMax,
    bufferedBytesTotalMax: 2 * answerBytesMax,
    streamReceiveWindowBytes,
    connectionReceiveWindowBytes,
  };
}
