/** How single fields look in a header block, RFC 7541 section 6. Choosing among the forms is left to the callers. */

import type { HeaderBlockWriter } from "./header-block-writer.js";
import type { FieldIndexing } from "./indexing-policy.js";

/** Section 6.1: name and value from one of the tables. */
export function writeIndexedField(out: HeaderBlockWriter, index: number): void {
  out.writeInteger(0x80, 0x7f, index);
}

/** Section 6.2: a literal value, the name by `nameIndex`, or literal too if that is 0. Throws like `writeString`. */
export function writeLiteralField(
  out: HeaderBlockWriter,
  nameIndex: number,
  name: string,
  value: string,
  indexing: FieldIndexing,
): void {
  if (indexing === "incremental") out.writeInteger(0x40, 0x3f, nameIndex);
  else out.writeInteger(indexing === "never" ? 0x10 : 0x00, 0x0f, nameIndex);
  if (nameIndex === 0) out.writeString(name);
  out.writeString(value);
}

/** Section 6.3: the dynamic table's new size. */
export function writeSizeUpdate(out: HeaderBlockWriter, tableBytes: number): void {
  out.writeInteger(0x20, 0x1f, tableBytes);
}
