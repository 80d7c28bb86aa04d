/**
 * The limits of this package. Those of requests (sizes, operations per transaction) belong to the server.
 */

/**
 * How deeply messages of recursive types (transactions inside transactions) and unknown groups may be nested in a
 * message that is decoded. Deeper input is malformed. The bound keeps decoding far from the end of the stack.
 */
export const messageDepthMax = 100;

/** Size at which the scratch buffer of a writer starts, and to which it falls back, in bytes. */
export const scratchBytesInitial = 16 * 1024;

/** A scratch buffer that has grown beyond this many bytes is given up at the next reset. */
export const scratchBytesKeptMax = 1024 * 1024;

/** Size of the slabs from which copies of medium size are cut, in bytes. */
export const slabBytes = 8 * 1024;

/** Copies longer than this many bytes get memory of their own instead of a part of a slab. */
export const slabCopyBytesMax = 1024;

/**
 * Values longer than this many bytes are views of a request that is lent to whoever copies all of it anyway. Shorter ones are
 * copied: with 128 bytes that cost no more than a view of the request and another one of its copy, with 1,024 a fifth of a put.
 */
export const lentBytesMin = 256;

/** How deeply objects and arrays may be nested in a JSON value that is skipped because no field wants it. As in etcd. */
export const jsonDepthMax = 10_000;

/**
 * Most members of objects and elements of arrays in one JSON value, all levels together. Each costs far more time to read
 * than its few characters suggest. Legal requests stay far below: a transaction of 10,000 puts has 40,000.
 */
export const jsonItemsMax = 64 * 1024;

/** Most characters of a rejected JSON value that are repeated in the error. */
export const jsonQuoteMax = 64;
