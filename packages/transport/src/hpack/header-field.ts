/**
 * One entry of the static or the dynamic table, and the check of its octets. The check runs where a literal is read,
 * once per table entry instead of once per request; what to do about a malformed field is left to the HTTP/2 layer.
 */

/** What RFC 7541 section 4.1 adds to name and value for each entry. */
export const FIELD_OVERHEAD_BYTES = 32;

/** A name with its value. */
export class HeaderField {
  readonly name: string;
  readonly value: string;
  /** Size in the sense of RFC 7541 section 4.1. */
  readonly bytes: number;
  /** The name obeys RFC 9113 section 8.2.1. Kept apart, because another field may refer to the name alone. */
  readonly nameWellFormed: boolean;
  /** Name and value both obey it. */
  readonly wellFormed: boolean;

  constructor(name: string, value: string, nameWellFormed: boolean, valueWellFormed: boolean) {
    this.name = name;
    this.value = value;
    this.bytes = name.length + value.length + FIELD_OVERHEAD_BYTES;
    this.nameWellFormed = nameWellFormed;
    this.wellFormed = nameWellFormed && valueWellFormed;
  }
}

const COLON = 0x3a;
const FORBIDDEN_IN_NAME = 1;
const FORBIDDEN_IN_VALUE = 2;
const BLANK = 4;
const OCTET_CLASSES = octetClasses();

function octetClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  for (let octet = 0; octet < 256; octet++) {
    const isUpperCase = octet >= 0x41 && octet <= 0x5a;
    if (octet <= 0x20 || octet >= 0x7f || isUpperCase || octet === COLON) classes[octet] |= FORBIDDEN_IN_NAME;
    if (octet === 0x00 || octet === 0x0a || octet === 0x0d) classes[octet] |= FORBIDDEN_IN_VALUE;
    if (octet === 0x09 || octet === 0x20) classes[octet] |= BLANK;
  }
  return classes;
}

/** Whether the first `length` octets may be a field name: RFC 9113 section 8.2.1; a colon only as the first octet. */
export function isNameWellFormed(octets: Uint8Array, length: number): boolean {
  let found = 0;
  for (let i = octets[0] === COLON ? 1 : 0; i < length; i++) found |= OCTET_CLASSES[octets[i]];
  return length > 0 && (found & FORBIDDEN_IN_NAME) === 0;
}

/** Whether the first `length` octets may be a field value: RFC 9113 section 8.2.1. */
export function isValueWellFormed(octets: Uint8Array, length: number): boolean {
  if (length === 0) return true;
  const ends = OCTET_CLASSES[octets[0]] | OCTET_CLASSES[octets[length - 1]];
  if ((ends & BLANK) !== 0) return false;
  let found = 0;
  for (let i = 0; i < length; i++) found |= OCTET_CLASSES[octets[i]];
  return (found & FORBIDDEN_IN_VALUE) === 0;
}
