/**
 * Names of users and roles: the two that are special, and their order.
 */

/** The user without whom authentication cannot be enabled (AUTH-1). */
export const rootUser = "root";

/** The role whose holders may do everything (AUTH-19). */
export const rootRole = "root";

/** The order of the UTF-8 encodings (AUTH-24), which is not quite that of JavaScript's strings. */
export function compareNames(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = rankOf(left.charCodeAt(index)) - rankOf(right.charCodeAt(index));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Halves of surrogate pairs stand for the characters from U+10000 on, and belong behind all others. */
function rankOf(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
