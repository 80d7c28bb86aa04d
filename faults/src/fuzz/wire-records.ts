/** Damage to a run of protobuf fields that keeps their lengths right, so that what is inside gets read. */
import { mutate } from "./mutate.js";
import type { Random } from "./random.js";
import { lengthDelimited } from "./wire-message.js";

interface Field {
  readonly number: number;
  readonly value: Buffer;
}

type Change = (fields: readonly Field[], random: Random) => readonly Field[];

const changes: readonly Change[] = [
  function dropOne(fields, random) {
    return fields.toSpliced(random.below(fields.length), 1);
  },
  function doubleOne(fields, random) {
    const at = random.below(fields.length);
    return fields.toSpliced(random.below(fields.length), 0, fields[at] as Field);
  },
  function swapTwo(fields, random) {
    const one = random.below(fields.length);
    const other = random.below(fields.length);
    return fields.with(one, fields[other] as Field).with(other, fields[one] as Field);
  },
  function renumberOne(fields, random) {
    const at = random.below(fields.length);
    return fields.with(at, { ...(fields[at] as Field), number: 1 + random.below(12) });
  },
  function damageOne(fields, random) {
    const at = random.below(fields.length);
    const { number, value } = fields[at] as Field;
    return fields.with(at, { number, value: mutate(value, random) });
  },
  function damageOne(fields, random) {
    const at = random.below(fields.length);
    const { number, value } = fields[at] as Field;
    const changed = Buffer.from(value);
    const byte = random.below(changed.length);
    changed[byte] = (changed[byte] ?? 0) + random.pick([-1, 1, 2]);
    return fields.with(at, { number, value: changed });
  },
];

/** `bytes`, a run of length-delimited fields, with one to a few of them changed. */
export function damagedRecords(bytes: Buffer, random: Random): Buffer {
  let fields: readonly Field[] = fieldsOf(bytes);
  for (let left = 1 + random.length(4); left > 0 && fields.length > 0; left--)
    fields = random.pick(changes)(fields, random);
  return Buffer.concat(fields.map(({ number, value }) => lengthDelimited(number, value)));
}

/** Stops at what is no length-delimited field. */
function fieldsOf(bytes: Buffer): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const number = (bytes[at] as number) >> 3;
    if (((bytes[at] as number) & 7) !== 2) break;
    let length = 0;
    let end = at + 1;
    for (let shift = 1; end < bytes.length; shift *= 128) {
      const byte = bytes[end++] as number;
      length += (byte & 127) * shift;
      if (byte < 128) break;
    }
    fields.push({ number, value: bytes.subarray(end, end + length) });
    at = end + length;
  }
  return fields;
}
