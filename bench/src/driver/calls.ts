/** Calls with promises, for what is not measured: preparing a server, and looking at it after a round. */
import type { CallListener, DriverConnection } from "./driver-connection.js";

/** A method of a service, with its codecs, as in @holdfast/protocol. */
export interface CallableMethod<Request, Response> {
  readonly path: string;
  readonly request: { encode(message: Request): Uint8Array };
  readonly response: { decode(bytes: Uint8Array): Response };
}

/** Makes one unary call. Failures are the connection's: wait with `Failures.during`. */
export function callOnce<Request, Response>(
  connection: DriverConnection,
  { path, request, response }: CallableMethod<Request, Response>,
  message: Request,
): Promise<Response> {
  return new Promise((resolve) => {
    let answer: Response;
    connection.unary(path, request.encode(message), {
      message: (chunk, from, to) => {
        answer = response.decode(Uint8Array.from(chunk.subarray(from, to)));
      },
      end: () => resolve(answer),
    });
  });
}

/** Longer than any server needs for one of many calls. */
const msPerCallMax = 5;
const manyMsMin = 30_000;

/** How long so many calls may take together before something is wrong. */
export function manyWithinMs(count: number): number {
  return Math.max(manyMsMin, count * msPerCallMax);
}

/**
 * Makes `count` unary calls of one path, some of them at a time, shared out among the connections in turn.
 * `messageOf` and `answered` get the call's number, from 0 on; the answer is only valid during the call.
 */
export function callMany(
  connections: readonly DriverConnection[],
  { path, count, inFlight }: { path: string; count: number; inFlight: number },
  messageOf: (number: number) => Uint8Array,
  answered: (number: number, chunk: Uint8Array, from: number, to: number) => void = () => {},
): Promise<void> {
  return new Promise((resolve) => {
    let next = 0;
    let left = count;
    const start = (): void => {
      if (next >= count) return;
      const number = next++;
      const listener: CallListener = {
        message: (chunk, from, to) => answered(number, chunk, from, to),
        end: () => {
          left -= 1;
          if (left === 0) resolve();
          else start();
        },
      };
      connections[number % connections.length]!.unary(path, messageOf(number), listener);
    };
    if (count === 0) resolve();
    for (let started = 0; started < inFlight; started++) start();
  });
}
