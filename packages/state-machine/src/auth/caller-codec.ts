/**
 * Who asked for a command, as bytes in the log before the command itself: a byte that says what kind of caller it is,
 * and for a user the auth revision as a 64-bit floating-point number, which holds whatever a token can claim, the
 * length of the name (4 bytes), and the name in UTF-16, which holds every string; all little-endian. Nobody is no
 * bytes at all.
 *
 * The bytes are kept for ever; the first one shares its numbers with `commandKinds`.
 */
import { MalformedMessageError } from "@holdfast/protocol";
import { type Caller, systemCaller } from "./auth-types.js";

/** The first byte of a caller. */
export const callerKinds = { user: 8, system: 9 } as const;

/** Where the name of a user begins, behind the first byte. */
const nameOffset = 13;

/** The length of the encoding of `caller`. */
export function callerBytes(caller: Caller | undefined): number {
  if (caller === undefined) return 0;
  return caller === systemCaller ? 1 : nameOffset + 2 * caller.userName.length;
}

/** Writes `caller` to `buffer` from `position` on, where `callerBytes` have room. Returns the position behind it. */
export function writeCaller(buffer: Buffer, position: number, caller: Caller | undefined): number {
  if (caller === undefined) return position;
  if (caller === systemCaller) return buffer.writeUInt8(callerKinds.system, position);
  buffer[position] = callerKinds.user;
  buffer.writeDoubleLE(caller.authRevision, position + 1);
  buffer.writeUInt32LE(2 * caller.userName.length, position + 9);
  return position + nameOffset + buffer.write(caller.userName, position + nameOffset, "utf16le");
}

/** A caller and where it ends. */
export interface ReadCaller {
  readonly caller: Caller | undefined;
  readonly end: number;
}

/** Reads the caller at the beginning of `bytes[start..end)`. Throws `MalformedMessageError`. */
export function readCaller(bytes: Uint8Array, start: number, end: number): ReadCaller {
  if (bytes[start] === callerKinds.system) return { caller: systemCaller, end: start + 1 };
  if (bytes[start] !== callerKinds.user) return { caller: undefined, end: start };
  if (end - start < nameOffset) throw new MalformedMessageError("caller is cut off");
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const nameBytes = buffer.readUInt32LE(start + 9);
  const nameStart = start + nameOffset;
  if (nameBytes > end - nameStart) throw new MalformedMessageError("caller is cut off");
  if (nameBytes % 2 !== 0) throw new MalformedMessageError("name of a caller with half a character");
  const userName = buffer.toString("utf16le", nameStart, nameStart + nameBytes);
  return { caller: { userName, authRevision: buffer.readDoubleLE(start + 1) }, end: nameStart + nameBytes };
}
