/** Reads the answers of a call with one request and many answers to their end. */
import type { MethodDescriptor } from "@holdfast/protocol";
import type { CallEnd } from "@holdfast/transport";
import type { Actor } from "./actor.js";

/** Resolves with how the call ended; `take` gets each answer. Never resolves for the dead. */
export async function readStream<Request, Response>(
  actor: Actor,
  { path, request, response }: MethodDescriptor<Request, Response, "serverStream">,
  fields: Partial<Request>,
  take: (response: Response) => void,
): Promise<CallEnd> {
  const { grpc } = await actor.line.ready();
  return new Promise((resolve) => {
    const listener = {
      message: (bytes: Uint8Array): void => take(response.decode(bytes.slice())),
      end: (end: CallEnd): void => {
        if (actor.party.alive) resolve(end);
      },
    };
    const call = grpc.open(path, listener, { deadlineMs: actor.deadlineMs });
    call.send(request.encode(request.create(fields)));
    call.halfClose();
  });
}
