/** The messages and keys of locks: every caller's are always the same, so they are made once. */
import { byteStringFromText, lockService } from "@holdfast/protocol";

export const lockPath = lockService.methods.lock.path;
export const unlockPath = lockService.methods.unlock.path;

/** The key that a caller of Lock gets (LOCK-1), for leases above 0. */
export function lockKey(name: string, lease: bigint): string {
  return `${name}/${lease.toString(16)}`;
}

export function encodeLock(name: string, lease: bigint): Uint8Array {
  const { request } = lockService.methods.lock;
  return request.encode(request.create({ name: byteStringFromText(name), lease }));
}

export function encodeUnlock(name: string, lease: bigint): Uint8Array {
  const { request } = lockService.methods.unlock;
  return request.encode(request.create({ key: byteStringFromText(lockKey(name, lease)) }));
}

/** @throws Error when the LockResponse in `chunk[from, to)` names another key. */
export function checkLockAnswer(chunk: Uint8Array, from: number, to: number, key: string): void {
  const answer = lockService.methods.lock.response.decode(chunk, from, to);
  if (answer.key !== key) throw new Error(`Lock answered the key ${answer.key}, not ${key}`);
}
