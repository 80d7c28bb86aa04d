/** Answers of a state machine as a client has them: messages of its own, not the packed pairs of the store. */
import { PackedKeyValue } from "@holdfast/protocol";

/** `message` with a plain pair in place of each packed one. */
export function asReceived<Message>(message: Message): Message {
  return received(message) as Message;
}

function received(value: unknown): unknown {
  if (value instanceof PackedKeyValue) return value.unpacked();
  if (Array.isArray(value)) return value.map(received);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([field, part]) => [field, received(part)]));
}
