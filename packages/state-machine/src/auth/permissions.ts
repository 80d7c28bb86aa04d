/**
 * Lists of permissions: adding, taking away, and which keys they cover together.
 */
import { type ByteString, type Permission, PermissionType } from "@holdfast/protocol";
import { type Interval, IntervalSet } from "../interval-set.js";
import { endOfKeys, isSingleKey, keyAfter, openRangeEnd } from "../key-interval.js";

/** What role `root` is shown to hold (AUTH-2). */
export const rootPermissions: readonly Permission[] = Object.freeze([
  Object.freeze({ permType: PermissionType.READWRITE, key: "" as ByteString, rangeEnd: openRangeEnd }),
]);

/** Whether a permission may be given for this interval (AUTH-17). */
export function isGrantable(key: ByteString, rangeEnd: ByteString): boolean {
  return key.length > 0 && (isSingleKey(rangeEnd) || rangeEnd === openRangeEnd || key < rangeEnd);
}

/** `permissions` with `added` among them, in place of one for the same interval. */
export function withPermission(permissions: readonly Permission[], added: Permission): readonly Permission[] {
  const index = permissions.findIndex((one) => compareIntervals(one, added) >= 0);
  if (index === -1) return [...permissions, added];
  return permissions.toSpliced(index, compareIntervals(permissions[index]!, added) === 0 ? 1 : 0, added);
}

/** `permissions` without the one for exactly this interval; undefined when there is none (AUTH-18). */
export function withoutPermission(
  permissions: readonly Permission[],
  key: ByteString,
  rangeEnd: ByteString,
): readonly Permission[] | undefined {
  const index = permissions.findIndex((one) => one.key === key && one.rangeEnd === rangeEnd);
  return index === -1 ? undefined : permissions.toSpliced(index, 1);
}

/** The keys that may be read by these permissions together (AUTH-16). */
export function readableKeys(permissions: readonly Permission[]): IntervalSet {
  return coveredKeys(permissions, PermissionType.READ);
}

/** The keys that may be written by these permissions together (AUTH-16). */
export function writableKeys(permissions: readonly Permission[]): IntervalSet {
  return coveredKeys(permissions, PermissionType.WRITE);
}

/** A type without a name allows nothing. */
function coveredKeys(permissions: readonly Permission[], type: PermissionType): IntervalSet {
  const fitting = permissions.filter(({ permType }) => permType === type || permType === PermissionType.READWRITE);
  return IntervalSet.of(fitting.map(intervalOf));
}

function intervalOf({ key, rangeEnd }: Permission): Interval {
  if (isSingleKey(rangeEnd)) return { from: key, to: keyAfter(key) };
  return { from: key, to: rangeEnd === openRangeEnd ? endOfKeys : rangeEnd };
}

/** The order of a role's permissions. */
export function compareIntervals(left: Permission, right: Permission): number {
  if (left.key !== right.key) return left.key < right.key ? -1 : 1;
  if (left.rangeEnd === right.rangeEnd) return 0;
  return left.rangeEnd < right.rangeEnd ? -1 : 1;
}
