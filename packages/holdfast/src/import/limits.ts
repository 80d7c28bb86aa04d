/** Every bound of an import. */
export const importLimits = {
  /** Keys asked for in the first page; later ones are as long as `pageBytes` makes them. */
  pageKeysFirst: 64,
  pageKeysMax: 10_000,
  /** Bytes of keys and values a page is meant to have. */
  pageBytes: 4 * 1024 * 1024,
  /** Writes of one transaction; a server takes 128 unless told otherwise (TXN-9). */
  batchWritesMax: 128,
  /** Bytes of one transaction, below the 1.5 MiB that a server takes unless told otherwise (LIM-1). */
  batchBytesMax: 1024 * 1024,
  /** Transactions that may be under way at once. */
  batchesAtOnce: 4,
  /** Leases asked for, or granted, at once. */
  leasesAtOnce: 32,
  /** How often it is looked whether the leases that were copied are due to be renewed. */
  renewalCheckMs: 250,
  /** How often an import begins anew because the source compacted the revision it was reading. */
  restartsMax: 5,
  /** Keys named in a message about some. */
  keysNamed: 3,
  /** Time between two lines, or two changes of the one line, that tell how far it is. */
  progressLineMs: 5_000,
  progressDrawMs: 100,
} as const;
