/** The numbers of RFC 9113 that the driver needs. */

export const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export const frameHeaderBytes = 9;
/** What a peer may send, and we may send, as one frame: the default of SETTINGS_MAX_FRAME_SIZE (6.5.2). */
export const framePayloadBytesMax = 16_384;
/** Initial flow-control window of streams and of the connection (6.9.2). */
export const windowBytesDefault = 65_535;
/** The size of the table that a peer's decoder must offer us, unless it says otherwise (6.5.2). */
export const headerTableBytesDefault = 4096;

export const FrameType = {
  data: 0,
  headers: 1,
  resetStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = { acknowledgement: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export const Setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
} as const;

/** Error code of a reset by somebody who lost interest (7). */
export const cancelCode = 0x8;
