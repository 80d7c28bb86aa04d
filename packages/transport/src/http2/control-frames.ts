/**
 * The frames that manage a connection and its streams rather than carry messages: PRIORITY, RST_STREAM, SETTINGS,
 * PING, GOAWAY, WINDOW_UPDATE. Each function checks its frame (RFC 9113, section 6) and carries out what it says.
 */
import type { HpackEncoder } from "../hpack/index.js";
import type { AbuseGuard } from "./abuse-guard.js";
import { ConnectionError } from "./errors.js";
import { readUint32 } from "./frame-reader.js";
import { writePing, writeSettingsAck } from "./frame-writer.js";
import type { Output } from "./output.js";
import {
  ENHANCE_YOUR_CALM,
  FLAG_ACK,
  FLOW_CONTROL_ERROR,
  FRAME_BYTES_DEFAULT,
  FRAME_BYTES_LARGEST,
  FRAME_SIZE_ERROR,
  PROTOCOL_ERROR,
  SETTINGS_ENABLE_PUSH,
  SETTINGS_HEADER_TABLE_SIZE,
  SETTINGS_INITIAL_WINDOW_SIZE,
  SETTINGS_MAX_CONCURRENT_STREAMS,
  SETTINGS_MAX_FRAME_SIZE,
  STREAM_ID_LARGEST,
  WINDOW_LARGEST,
} from "./protocol.js";
import type { SendFlow } from "./send-flow.js";
import type { Http2Stream } from "./stream.js";
import type { StreamTable } from "./stream-table.js";

/** What control frames act on: the connection. */
export interface ControlTarget {
  readonly nowMs: number;
  readonly output: Output;
  readonly send: SendFlow;
  readonly guard: AbuseGuard;
  readonly encoder: HpackEncoder;
  readonly streams: StreamTable<Http2Stream>;
  /** No frame but HEADERS and PRIORITY may name this stream: it was never opened. */
  isIdle(streamId: number): boolean;
  /** Resets a stream, open or not, because of what the peer did. */
  streamError(streamId: number, code: number): void;
  /** The peer reset the stream. */
  peerReset(stream: Http2Stream, code: number): void;
  /** The peer applied our SETTINGS. */
  settingsAcknowledged(): void;
  /** All settings of a frame of the peer were applied. */
  settingsApplied(): void;
  /** The peer allows so many concurrent streams. */
  peerStreamLimit(streams: number): void;
  pingAcknowledged(bytes: Buffer, start: number): void;
  goaway(lastStreamId: number, code: number): void;
}

const SETTINGS_ENTRY_BYTES = 6;

/** PRIORITY is deprecated: checked, then ignored (5.3.2, 6.3). */
export function onPriority(target: ControlTarget, streamId: number, bytes: Buffer, start: number, end: number): void {
  if (streamId === 0) throw new ConnectionError(PROTOCOL_ERROR, "PRIORITY on stream 0");
  if (end - start !== 5) {
    target.streamError(streamId, FRAME_SIZE_ERROR);
    return;
  }
  const dependency = readUint32(bytes, start) & STREAM_ID_LARGEST;
  if (dependency === streamId) target.streamError(streamId, PROTOCOL_ERROR);
}

/** 6.4 */
export function onRstStream(target: ControlTarget, streamId: number, bytes: Buffer, start: number, end: number): void {
  if (end - start !== 4) throw new ConnectionError(FRAME_SIZE_ERROR, "RST_STREAM of wrong length");
  if (streamId === 0 || target.isIdle(streamId)) throw new ConnectionError(PROTOCOL_ERROR, "RST_STREAM on idle stream");
  const stream = target.streams.get(streamId);
  if (stream !== undefined) target.peerReset(stream, readUint32(bytes, start) >>> 0);
}

/** 6.5 */
export function onSettings(
  target: ControlTarget,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (streamId !== 0) throw new ConnectionError(PROTOCOL_ERROR, "SETTINGS on a stream");
  const length = end - start;
  if ((flags & FLAG_ACK) !== 0) {
    if (length !== 0) throw new ConnectionError(FRAME_SIZE_ERROR, "SETTINGS acknowledgement with content");
    target.settingsAcknowledged();
    return;
  }
  if (length % SETTINGS_ENTRY_BYTES !== 0) throw new ConnectionError(FRAME_SIZE_ERROR, "SETTINGS of wrong length");
  if (!target.guard.settings(target.nowMs, length / SETTINGS_ENTRY_BYTES)) {
    throw new ConnectionError(ENHANCE_YOUR_CALM, "too many settings");
  }
  for (let at = start; at < end; at += SETTINGS_ENTRY_BYTES) {
    applySetting(target, (bytes[at] << 8) | bytes[at + 1], readUint32(bytes, at + 2) >>> 0);
  }
  writeSettingsAck(target.output);
  target.settingsApplied();
}

/** Settings we do not know are ignored (6.5.2). */
function applySetting(target: ControlTarget, identifier: number, value: number): void {
  switch (identifier) {
    case SETTINGS_HEADER_TABLE_SIZE:
      target.encoder.setPeerTableBytesMax(value);
      return;
    case SETTINGS_ENABLE_PUSH:
      if (value > 1) throw new ConnectionError(PROTOCOL_ERROR, "SETTINGS_ENABLE_PUSH is neither 0 nor 1");
      return;
    case SETTINGS_MAX_CONCURRENT_STREAMS:
      target.peerStreamLimit(value);
      return;
    case SETTINGS_INITIAL_WINDOW_SIZE:
      resizeStreamWindows(target, value);
      return;
    case SETTINGS_MAX_FRAME_SIZE:
      if (value < FRAME_BYTES_DEFAULT || value > FRAME_BYTES_LARGEST) {
        throw new ConnectionError(PROTOCOL_ERROR, "SETTINGS_MAX_FRAME_SIZE out of range");
      }
  }
}

/** The new size holds for open streams too (6.9.2). */
function resizeStreamWindows(target: ControlTarget, size: number): void {
  if (size > WINDOW_LARGEST) throw new ConnectionError(FLOW_CONTROL_ERROR, "SETTINGS_INITIAL_WINDOW_SIZE out of range");
  const increment = size - target.send.initialStreamWindow;
  target.send.initialStreamWindow = size;
  for (const stream of target.streams.list()) {
    if (!target.send.widenStream(stream, increment)) throw new ConnectionError(FLOW_CONTROL_ERROR, "window overflow");
  }
}

/** 6.7; pings too often are answered with GOAWAY `too_many_pings`, as gRPC clients expect (F34). */
export function onPing(
  target: ControlTarget,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (streamId !== 0) throw new ConnectionError(PROTOCOL_ERROR, "PING on a stream");
  if (end - start !== 8) throw new ConnectionError(FRAME_SIZE_ERROR, "PING of wrong length");
  if ((flags & FLAG_ACK) !== 0) {
    target.pingAcknowledged(bytes, start);
    return;
  }
  if (!target.guard.ping(target.nowMs, target.streams.size > 0, target.send.framesSent)) {
    throw new ConnectionError(ENHANCE_YOUR_CALM, "too_many_pings");
  }
  writePing(target.output, true, bytes, start);
}

/** 6.8 */
export function onGoaway(target: ControlTarget, streamId: number, bytes: Buffer, start: number, end: number): void {
  if (streamId !== 0) throw new ConnectionError(PROTOCOL_ERROR, "GOAWAY on a stream");
  if (end - start < 8) throw new ConnectionError(FRAME_SIZE_ERROR, "GOAWAY of wrong length");
  target.goaway(readUint32(bytes, start) & STREAM_ID_LARGEST, readUint32(bytes, start + 4) >>> 0);
}

/** 6.9 */
export function onWindowUpdate(
  target: ControlTarget,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
): void {
  if (end - start !== 4) throw new ConnectionError(FRAME_SIZE_ERROR, "WINDOW_UPDATE of wrong length");
  const increment = readUint32(bytes, start) & WINDOW_LARGEST;
  if (streamId === 0) {
    widenConnection(target, increment);
    return;
  }
  if (target.isIdle(streamId)) throw new ConnectionError(PROTOCOL_ERROR, "WINDOW_UPDATE on idle stream");
  const stream = target.streams.get(streamId);
  if (stream === undefined) return;
  if (increment === 0) {
    target.streamError(streamId, PROTOCOL_ERROR);
    return;
  }
  if (!target.send.widenStream(stream, increment)) target.streamError(streamId, FLOW_CONTROL_ERROR);
}

function widenConnection(target: ControlTarget, increment: number): void {
  if (increment === 0) throw new ConnectionError(PROTOCOL_ERROR, "WINDOW_UPDATE of zero");
  if (!target.send.widenConnection(increment)) throw new ConnectionError(FLOW_CONTROL_ERROR, "window overflow");
}
