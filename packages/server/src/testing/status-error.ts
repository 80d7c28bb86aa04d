/** A call that ended with another status than OK, as an error a test can catch. */
import assert from "node:assert/strict";
import { type EtcdError, StatusCode } from "@holdfast/protocol";
import type { Status } from "@holdfast/transport";

export class StatusError extends Error {
  readonly code: number;
  /** The status message alone; `message` has the code in front of it. */
  readonly text: string;

  constructor({ code, message }: Status) {
    super(`${code}: ${message}`);
    this.name = "StatusError";
    this.code = code;
    this.text = message;
  }
}

/** Asserts that a call fails with exactly this status. */
export async function rejectsWith(call: Promise<unknown>, code: StatusCode, text: string): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof StatusError, String(error));
    assert.deepEqual([error.code, error.text], [code, text]);
    return true;
  });
}

/** Asserts that a call fails with one of etcd's errors, code and text. */
export function rejectsAs(call: Promise<unknown>, error: EtcdError): Promise<void> {
  return rejectsWith(call, error.wireCode, error.wireMessage);
}

/** The same for an error that Lock or Election pass on: the text stays, the code is UNKNOWN (LOCK-14, ELECT-4). */
export function rejectsAsUnknown(call: Promise<unknown>, error: EtcdError): Promise<void> {
  return rejectsWith(call, StatusCode.unknown, error.wireMessage);
}
