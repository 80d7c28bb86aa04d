/**
 * Reads every segment of a log before anything in it is changed, and decides what its end is: a
 * clean end, a tail that was torn while nobody had been told of it, or damage.
 *
 * The rule (fault model F3): what cannot be read at index p is a torn tail if nothing behind it, and
 * no note beside it, claims that p was durable. Everything else is damage and refuses to open.
 */

import { join } from "node:path";
import type { EngineListener } from "../engine.js";
import { LogDamagedError, LogMissingError } from "../errors.js";
import { type BlankScan, isZero, scanBlank } from "./blank-scan.js";
import { type Disk, type DiskFile, readAll, withFile } from "./disk.js";
import { FILE_HEADER_BYTES, type FileHeader, readFileHeader } from "./file-header.js";
import { segmentName } from "./file-names.js";
import { recordBytes, SEGMENT_HEADER_BYTES } from "./record.js";
import { readRecords, type Stop, type StopReason } from "./record-reader.js";
import { Segment } from "./segment.js";

export interface ScanInput {
  readonly disk: Disk;
  readonly folder: string;
  readonly identity: Buffer;
  readonly sequences: readonly number[];
  readonly readSliceBytes: number;
  /** What the owner file claims to be durable. */
  readonly durableNote: number;
  readonly verify: EngineListener["verify"];
}

/** A file with something in it that does not belong there: to be copied aside and overwritten with zeros. */
export interface TornRegion {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

export interface ScanResult {
  /** In order; the last one takes the next entry. */
  readonly segments: readonly Segment[];
  /** A file behind the last segment that no entry has been put into. */
  readonly spare: { readonly sequence: number; readonly bytes: number } | undefined;
  readonly torn: readonly TornRegion[];
}

/** A file behind the last segment, and what is in it. */
interface SpareScan {
  readonly path: string;
  readonly sequence: number;
  readonly bytes: number;
  readonly scan: BlankScan;
}

interface Listed {
  readonly sequence: number;
  readonly path: string;
  readonly bytes: number;
  /** Or the reason why there is none. */
  readonly header: FileHeader | string;
}

const WHY: { readonly [reason in StopReason]: string } = {
  visitor: "reading was stopped",
  end: "the file ends",
  "no-header": "there is no readable record",
  misplaced: "there is a record that belongs elsewhere",
  torn: "the entry is not what was written",
};

/**
 * Scans all segments, handing each entry to `verify`.
 * @throws LogMissingError, LogDamagedError, LogVersionError.
 */
export async function scanSegments(input: ScanInput): Promise<ScanResult> {
  assertContiguous(input);
  const files = [];
  for (const sequence of input.sequences) files.push(await listSegment(input, sequence));
  const used = files.findLastIndex((file) => typeof file.header !== "string");
  assertHeaders(input, files, used);
  // The segment that is still to be used is read beside the others: it takes time, but hardly any of this thread's.
  const behind = files[used + 1];
  const spare = behind === undefined ? undefined : scanSpare(input, behind);
  // What is wrong with it counts where it is awaited, if it comes to that.
  const settled = spare?.catch(() => undefined);
  try {
    const segments: Segment[] = [];
    for (let i = 0; i < used; i++) segments.push(await readSealed(input, files[i]!, files[i + 1]!));
    return await readLast(input, segments, files[used]!, spare);
  } finally {
    // Whatever happens, nothing is left open.
    await settled;
  }
}

function assertContiguous(input: ScanInput): void {
  const { sequences, folder } = input;
  if (sequences.length === 0) throw new LogMissingError(folder, "there are no segment files");
  for (let i = 1; i < sequences.length; i++) {
    const expected = sequences[i - 1]! + 1;
    if (sequences[i] !== expected) throw new LogMissingError(folder, `${segmentName(expected)} is not there`);
  }
}

async function listSegment(input: ScanInput, sequence: number): Promise<Listed> {
  const path = join(input.folder, segmentName(sequence));
  return withFile(input.disk, "segment.open", path, "read", async (file) => {
    const sector = Buffer.alloc(SEGMENT_HEADER_BYTES);
    const count = await readAll(file, "segment.read", sector, 0);
    const header = readFileHeader(sector.subarray(0, count), "HFLOGSEG", path);
    const rest = sector.subarray(FILE_HEADER_BYTES);
    const clean = typeof header === "string" || isZero(rest);
    return {
      sequence,
      path,
      bytes: await file.size("segment.read"),
      header: clean ? header : "bytes behind the header",
    };
  });
}

/** Every file up to the last one in use must be headed; behind it only one that is still to be used. */
function assertHeaders(input: ScanInput, files: readonly Listed[], used: number): void {
  files.forEach((file, position) => {
    const { header, path } = file;
    if (typeof header === "string") {
      if (position > used + 1 || used < 0 || position < used) throw new LogDamagedError(path, 0, header);
      return;
    }
    if (!header.identity.equals(input.identity))
      throw new LogDamagedError(path, 0, "the segment belongs to another log");
    if (header.number !== file.sequence)
      throw new LogDamagedError(path, 0, `this is segment ${header.number} under another name`);
    // The length was durable before the first record, so no crash explains another one.
    if (file.bytes !== header.second) {
      throw new LogDamagedError(path, file.bytes, `the file should be ${header.second} bytes long`);
    }
  });
}

/** Reads a segment that another one follows: it must be whole. */
async function readSealed(input: ScanInput, file: Listed, next: Listed): Promise<Segment> {
  return withFile(input.disk, "segment.open", file.path, "read", async (open) => {
    const { segment, stop } = await readEntries(input, file, open);
    if (stop.reason !== "end") {
      const rest = await scanRest(input, file, open, stop.offset);
      const damaged = stop.reason !== "no-header" || rest.from !== rest.to;
      if (damaged) throw new LogDamagedError(file.path, stop.offset, `${WHY[stop.reason]}, and more entries follow`);
    }
    const nextFirst = (next.header as FileHeader).first;
    if (nextFirst === stop.index) return segment;
    throw new LogDamagedError(next.path, 0, `the segment starts with entry ${nextFirst}, expected ${stop.index}`);
  });
}

async function readLast(
  input: ScanInput,
  sealed: readonly Segment[],
  file: Listed,
  behind: Promise<SpareScan> | undefined,
): Promise<ScanResult> {
  return withFile(input.disk, "segment.open", file.path, "read", async (open) => {
    const { segment, stop } = await readEntries(input, file, open);
    if (stop.reason === "misplaced") throw new LogDamagedError(file.path, stop.offset, WHY.misplaced);
    const torn: TornRegion[] = [];
    const claims = [await scanRest(input, file, open, stop.offset)];
    addTorn(torn, file.path, claims[0]!);
    const spare = await behind;
    if (spare !== undefined) {
      claims.push(spare.scan);
      addTorn(torn, spare.path, spare.scan);
    }
    assertNotDurable(input, file, stop, claims);
    return { segments: [...sealed, segment], spare: spare && { sequence: spare.sequence, bytes: spare.bytes }, torn };
  });
}

function addTorn(torn: TornRegion[], path: string, scan: BlankScan): void {
  if (scan.from !== scan.to) torn.push({ path, from: scan.from, to: scan.to });
}

/** The torn-tail rule itself. */
function assertNotDurable(input: ScanInput, file: Listed, stop: Stop, scans: readonly BlankScan[]): void {
  if (scans.some((scan) => scan.durableClaim >= stop.index)) {
    throw new LogDamagedError(
      file.path,
      stop.offset,
      `${WHY[stop.reason]}, and a later record shows that entry ${stop.index} was durable`,
    );
  }
  if (input.durableNote < stop.index) return;
  throw new LogDamagedError(
    file.path,
    stop.offset,
    `${WHY[stop.reason]}, though entry ${input.durableNote} was durable`,
  );
}

async function readEntries(input: ScanInput, file: Listed, open: DiskFile): Promise<{ segment: Segment; stop: Stop }> {
  const header = file.header as FileHeader;
  const segment = new Segment(file.path, file.sequence, header.second, header.first);
  const place = { file: open, fileBytes: file.bytes, sequence: file.sequence, identity: input.identity };
  const stop = await readRecords(
    place,
    "segment.read",
    input.readSliceBytes,
    SEGMENT_HEADER_BYTES,
    header.first,
    (index, entry, _head, offset) => {
      const reason = input.verify(index, entry);
      if (reason !== undefined) throw new LogDamagedError(file.path, offset, reason);
      segment.add(recordBytes(entry.length));
      return true;
    },
  );
  return { segment, stop };
}

function scanRest(input: ScanInput, file: Listed, open: DiskFile, from: number): Promise<BlankScan> {
  return scanBlank(open, "segment.read", input.identity, file.sequence, from, file.bytes);
}

async function scanSpare(input: ScanInput, spare: Listed): Promise<SpareScan> {
  const { path, sequence, bytes } = spare;
  const scan = await withFile(input.disk, "segment.open", path, "read", (open) => scanRest(input, spare, open, 0));
  return { path, sequence, bytes, scan };
}
