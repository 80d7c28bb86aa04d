/** Header blocks that are the same on every connection, made once. */

import { EncoderTable } from "./encoder-table.js";
import { writeIndexedField, writeLiteralField } from "./field-representation.js";
import { HeaderBlockWriter } from "./header-block-writer.js";
import type { HeaderFields } from "./header-list.js";
import { indexingFor } from "./indexing-policy.js";

/**
 * The block of `fields` from static entries and literals only: it neither reads nor changes a dynamic table, so that
 * its octets may be copied into any connection at any time, except as the next block of one whose encoder says
 * `sizeUpdateDue`. Throws `RangeError` if a field has a char above 255.
 */
export function constantBlock(fields: HeaderFields): Uint8Array {
  const staticOnly = new EncoderTable();
  const out = new HeaderBlockWriter();
  fields.names.forEach((name, i) => {
    const value = fields.values[i];
    const found = staticOnly.find(name, value);
    const isSecret = indexingFor(name) === "never";
    if (found > 0 && !isSecret) writeIndexedField(out, found);
    else writeLiteralField(out, Math.abs(found), name, value, isSecret ? "never" : "none");
  });
  return out.copy();
}
