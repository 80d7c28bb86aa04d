/**
 * The limits of the core, with etcd's values where etcd has one. Whoever asks for a change may be stricter; nothing
 * here may differ between replicas of one log, because `apply` depends on some of it.
 */

/** Longest lease that can be granted, in seconds (LEASE-4). */
export const leaseTtlSecondsMax = 9_000_000_000;

/** How many compares, success or failure operations a transaction may hold unless configured otherwise (TXN-9). */
export const transactionOperationsMaxDefault = 128;

/**
 * How deeply transactions may be nested. The default operation budget allows no more either; the limit of its own
 * keeps recursion far from the end of the stack when the budget is raised.
 */
export const transactionDepthMax = 128;

/** How many parts the table of keys has; a power of two. */
export const keyTableParts = 64;

/** How many places of the table a key may be away from where its hash points to. */
export const keyTableProbesMax = 64;

/** How many parts a table of ids has; a power of two. */
export const idTableParts = 64;

/** How many places of the table an id may be away from where its hash points to. */
export const idTableProbesMax = 64;

/** Most keys in one chunk of the key index; a full chunk is split in two. */
export const indexChunkKeysMax = 256;

/** Two neighbouring index chunks with together no more than this many keys are joined. */
export const indexChunkKeysJoined = 128;

/** Versions per chunk of the event log and of what is left of it after compaction; a power of two. */
export const versionChunkLength = 1024;

/** So many versions of a key before its latest are found by looking at them; of more it is noted when they were written. */
export const undatedPlacesMax = 64;

/** Memory for versions is taken in slabs; the first one is so long, in bytes, and each is twice as long as the one before it. */
export const slabBytesInitial = 16 * 1024;

/** The longest slab, in bytes. Long enough to be given back to the operating system when it is freed. */
export const slabBytesMax = 256 * 1024;

/** A version longer than this many bytes gets memory of its own. */
export const ownSlabBytes = 16 * 1024;

/**
 * A chunk of a snapshot up to this many bytes is kept whole when it is restored, and its versions stay where they are; a longer
 * one has a long version in it, which is not to keep the others alive.
 */
export const restoredChunkBytesMax = 80 * 1024;

/** The longest slab for such chunks, in bytes: what does not fit into the rest of one is small beside it. */
export const restoredSlabBytesMax = 1024 * 1024;

/** Keys per chunk of the table of keys; a power of two. */
export const keyChunkLength = 1024;

/** A snapshot chunk is closed when it holds at least this many bytes. */
export const snapshotChunkBytes = 64 * 1024;

/** A snapshot chunk is also closed after this many keys or events were looked at, whether or not they were written. */
export const snapshotChunkVisits = 4096;

/** What a search through the versions of a key for the one that history builds on counts for among these. */
export const snapshotBaseVisits = 8;

/** How many keys without a readable version a range reader passes over in one slice. */
export const readerSkipsMax = 4096;

/** After about so many steps of sorting there is a pause. */
export const sortSliceLength = 4096;

/** After so many keys or events looked at while keys of an older revision are counted there is a pause. */
export const countSliceLength = 4096;

/** What a pair counts for in the answer of a transaction besides its key and value: small ones take more time than their bytes. */
export const answerPairOverheadBytes = 128;

/** Finding out how much a transaction would give back is itself given up after so many times the keys that it may go through. */
export const sizingVisitsPerKey = 3;

/** What a put costs besides its key and value (MAINT-6), in bytes. */
export const putOverheadBytes = 256;

/** What granting a lease costs (MAINT-6), in bytes. */
export const leaseCostBytes = 64;

/** What one version of a key, one lease, user, role or permission is reckoned to take besides its texts, in bytes. */
export const recordOverheadBytes = 64;

/** A lease with no more keys than this is walked through whenever somebody's rights to all of them are asked for. */
export const leaseKeysWalkedMax = 32;

/** For how many users it is remembered, of each lease, which keys are denied to them; the one longest known goes first. */
export const leaseRightsUsersMax = 64;
