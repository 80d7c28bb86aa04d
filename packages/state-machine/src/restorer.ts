/**
 * Builds a state machine from the chunks of a snapshot, checking that what they say can have come about.
 */
import {
  type ByteString,
  MalformedMessageError,
  PackedMemory,
  PackedScan,
  packedBytesMax,
  packKeyValue,
  Reader,
  readKeyValue,
} from "@holdfast/protocol";
import { AuthRestorer } from "./auth/auth-snapshot.js";
import { KeySpace } from "./key-space.js";
import { LeaseTable } from "./leases.js";
import { restoredChunkBytesMax, restoredSlabBytesMax } from "./limits.js";
import { raiseRevision } from "./raise-revision.js";
import {
  numberTag,
  recordTags,
  SnapshotFormatError,
  snapshotFormat,
  snapshotFormatWithoutAuth,
} from "./snapshot-format.js";
import { StateMachine } from "./state-machine.js";
import { noLease } from "./stored-version.js";
import { Slabs } from "./version-chunk.js";

/** Which records may come next. */
const Stage = { header: 0, roles: 1, users: 2, alarms: 3, leases: 4, bases: 5, events: 6, done: 7 } as const;
type Stage = (typeof Stage)[keyof typeof Stage];

export class Restorer {
  readonly #keys = new KeySpace();
  readonly #leases = new LeaseTable();
  readonly #auth = new AuthRestorer();
  readonly #reader = new Reader();
  readonly #slabs = new Slabs(restoredSlabBytesMax);
  /** Where the chunk lies that is being read, and whether it stays there. */
  #memory = new PackedMemory(0);
  #isLasting = false;
  /** The version that is being read, and whether its memory stays. */
  readonly #pair = new PackedScan();
  #isPairLasting = false;
  #stage: Stage = Stage.header;
  #knowsUsers = false;
  #revision = 1;
  #appliedCommands = 0;
  #lastGrant = 0;
  #lastBase: ByteString | undefined;
  #baseCount = 0;
  /** How many live keys carry a lease that does not exist. */
  #strayKeys = 0;

  /**
   * Takes the next chunk, as `FrozenState.chunks` made it. Throws `SnapshotFormatError`; the restorer is of no use
   * afterwards.
   */
  push(chunk: Uint8Array): void {
    try {
      const start = this.#takeIn(chunk);
      this.#reader.reset(this.#memory.bytes, start, start + chunk.length);
      while (this.#reader.position < this.#reader.limit) this.#record(this.#reader.tag());
    } catch (error) {
      if (error instanceof MalformedMessageError) throw new SnapshotFormatError(error.message, { cause: error });
      throw error;
    }
  }

  /**
   * The machine, once all chunks were taken. Throws `SnapshotFormatError` when some are missing.
   *
   * With a `revisionStep` above 0 it is lifted by so much and compacted there (see `raiseRevision`), and tokens of users
   * given before are no longer good; throws `RevisionStepError` when that is too much.
   */
  finish(revisionStep = 0): StateMachine {
    check(this.#stage === Stage.done, "snapshot has no end");
    const { auth, alarms } = this.#auth;
    const leases = this.#leases;
    const keys = revisionStep === 0 ? this.#keys : raiseRevision(this.#keys, leases, revisionStep);
    if (revisionStep !== 0) auth.restore(auth.enabled, auth.revision + revisionStep);
    return new StateMachine({ keys, leases, auth, alarms, appliedCommands: this.#appliedCommands });
  }

  /** Copies a chunk to where its versions can stay; returns where it begins there. */
  #takeIn(chunk: Uint8Array): number {
    const { length } = chunk;
    this.#isLasting = length <= restoredChunkBytesMax;
    this.#memory = this.#isLasting ? this.#slabs.reserve(length + 1) : new PackedMemory(length + 1);
    const start = this.#isLasting ? this.#slabs.position : 0;
    this.#memory.bytes.set(chunk, start);
    this.#memory.bytes[start + length] = 0;
    if (this.#isLasting) this.#slabs.take(length + 1);
    return start;
  }

  #record(tag: number): void {
    check(this.#stage !== Stage.done, "records behind the end of the snapshot");
    check(this.#stage !== Stage.header || tag === recordTags.header, "snapshot does not begin with a header");
    if (tag === recordTags.pause) {
      this.#reader.bool();
      return;
    }
    const outer = this.#reader.enter();
    if (tag === recordTags.event) this.#event();
    else if (tag === recordTags.base) this.#base();
    else if (tag === recordTags.lease) this.#lease();
    else if (tag === recordTags.header) this.#header();
    else if (tag === recordTags.end) this.#end();
    else if (!this.#authRecord(tag)) throw new SnapshotFormatError("unknown record");
    check(this.#reader.position === this.#reader.limit, "record longer than its fields");
    this.#reader.leave(outer);
  }

  #header(): void {
    check(this.#stage === Stage.header, "second header");
    const format = this.#number(1);
    this.#knowsUsers = format === snapshotFormat;
    const isKnown = this.#knowsUsers || format === snapshotFormatWithoutAuth;
    check(isKnown, `snapshot of an unknown format (${format})`);
    this.#revision = this.#number(2);
    this.#keys.compactRevision = this.#number(3);
    this.#appliedCommands = this.#number(4);
    check(this.#revision >= 1 && this.#appliedCommands >= 0, "impossible header");
    check(this.#keys.compactRevision >= -1 && this.#keys.compactRevision <= this.#revision, "impossible compaction");
    this.#keys.revision = this.#keys.firstHistoryRevision - 1;
    this.#stage = this.#knowsUsers ? Stage.roles : Stage.leases;
  }

  /** Returns whether it was one. */
  #authRecord(tag: number): boolean {
    if (tag === recordTags.role) {
      this.#enterStage(Stage.roles);
      this.#auth.role(this.#reader);
    } else if (tag === recordTags.user) {
      this.#enterStage(Stage.users);
      this.#auth.user(this.#reader);
    } else if (tag === recordTags.alarm) {
      this.#enterStage(Stage.alarms);
      this.#auth.alarm(this.#reader);
    } else if (tag === recordTags.auth) {
      this.#enterStage(Stage.alarms);
      this.#auth.finish(this.#number(1), this.#number(2));
      this.#stage = Stage.leases;
    } else return false;
    return true;
  }

  #lease(): void {
    this.#enterStage(Stage.leases);
    check(this.#reader.tag() === numberTag(1), "lease without id");
    const leaseId = this.#reader.int64BigInt();
    check(this.#reader.tag() === numberTag(2), "lease without length");
    // Any number that `apply` takes, though no server asks for a negative one.
    const ttlSeconds = this.#reader.int64Number();
    const grantNumber = this.#number(3);
    check(leaseId !== noLease && this.#leases.find(leaseId) === undefined, "lease id zero or used twice");
    check(grantNumber > this.#lastGrant && grantNumber <= this.#appliedCommands, "impossible grant number");
    this.#lastGrant = grantNumber;
    this.#leases.grant(leaseId, ttlSeconds, grantNumber);
  }

  #base(): void {
    this.#enterStage(Stage.bases);
    const pair = this.#version();
    check(pair.version !== 0, "base of a deleted key");
    check(pair.modRevision <= this.#keys.revision, "base newer than the history");
    const { key } = pair;
    check(this.#lastBase === undefined || this.#lastBase < key, "bases out of order");
    this.#lastBase = key;
    this.#attach(pair, key);
    this.#baseCount += 1;
    this.#keys.takePackedBase(key, pair, this.#isPairLasting);
  }

  #event(): void {
    this.#enterStage(Stage.events);
    const pair = this.#version();
    const step = pair.modRevision - this.#keys.revision;
    check(step === 0 || step === 1 || this.#isFirstEvent(pair), "events out of order");
    check(pair.modRevision <= this.#revision, "event newer than the snapshot");
    const { key } = pair;
    const number = this.#keys.numberOf(key);
    // What was replaced at the compacted revision itself is not needed any more, and may be left out.
    if (number !== undefined || pair.modRevision !== this.#keys.compactRevision) this.#succeed(number, key, pair);
    this.#keys.revision = pair.modRevision;
    this.#attach(pair, key);
    this.#keys.takePacked(number, key, pair, this.#isPairLasting);
  }

  /**
   * The history begins at the compacted revision; behind it, if that is one to which the revision was raised. There are no
   * events at revision 1 either.
   */
  #isFirstEvent({ modRevision }: PackedScan): boolean {
    const { events, firstHistoryRevision } = this.#keys;
    return events.end === 0 && (modRevision === firstHistoryRevision || modRevision === firstHistoryRevision + 1);
  }

  #end(): void {
    check(this.#number(1) === this.#leases.size, "leases are missing");
    check(this.#number(2) === this.#baseCount, "bases are missing");
    check(this.#number(3) === this.#keys.events.end, "events are missing");
    if (this.#knowsUsers) this.#endOfAuth();
    const isWhole =
      this.#keys.events.end === 0
        ? this.#revision === this.#keys.firstHistoryRevision
        : this.#keys.revision === this.#revision;
    check(isWhole, "history stops early");
    check(this.#strayKeys === 0, "key with an unknown lease");
    this.#keys.revision = this.#revision;
    this.#stage = Stage.done;
  }

  #endOfAuth(): void {
    check(this.#auth.isFinished, "snapshot that says nothing of authentication");
    const [roles, users, alarms] = this.#auth.counts;
    check(this.#number(4) === roles, "roles are missing");
    check(this.#number(5) === users, "users are missing");
    check(this.#number(6) === alarms, "alarms are missing");
  }

  /** Stages only follow one another. */
  #enterStage(stage: Stage): void {
    check(this.#stage <= stage, "records out of order");
    this.#stage = stage;
  }

  /** The number with this field number, which has to come next. */
  #number(fieldNumber: number): number {
    check(this.#reader.tag() === numberTag(fieldNumber), "record without a number it needs");
    const value = this.#reader.int64Number();
    check(Number.isSafeInteger(value), "number out of range");
    return value;
  }

  /** The version that is the rest of the record, which is thereby read. */
  #version(): PackedScan {
    const { position, limit } = this.#reader;
    if (this.#pair.look(this.#memory, position, limit)) {
      checkVersion(this.#pair, this.#pair.valueLength === 0 && !this.#pair.hasLease);
      this.#isPairLasting = this.#isLasting;
      this.#reader.position = limit;
    } else this.#repack();
    return this.#pair;
  }

  /** Reads a version that is not encoded as we would, and packs it. */
  #repack(): void {
    const { key, createRevision, modRevision, version, value, lease } = readKeyValue(this.#reader, undefined);
    checkVersion({ createRevision, modRevision, version }, value.length === 0 && lease === noLease);
    const memory = new PackedMemory(packedBytesMax(key.length, value.length));
    const length = packKeyValue(memory, 0, key, createRevision, modRevision, version, value, lease);
    check(this.#pair.look(memory, 0, length), "version that cannot be packed");
    this.#isPairLasting = false;
  }

  /** Checks that `pair` may follow what is known of its key, whose lease loses it. */
  #succeed(number: number | undefined, key: ByteString, pair: PackedScan): void {
    const { histories } = this.#keys;
    const isLive = number !== undefined && histories.isLive(number);
    const previous = isLive ? histories.latest(number, key) : undefined;
    checkSuccession(previous, pair);
    if (previous === undefined) return;
    const { lease } = previous;
    if (lease !== noLease && this.#leases.find(lease) === undefined) this.#strayKeys -= 1;
    this.#leases.detach(lease, key);
  }

  #attach(pair: PackedScan, key: ByteString): void {
    if (!pair.hasLease) return;
    const { lease } = pair;
    if (this.#leases.find(lease) === undefined) this.#strayKeys += 1;
    this.#leases.attach(lease, key);
  }
}

/** What tells a version from others of its key. */
interface Numbers {
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

/** What holds for any version by itself. `isBare` says that it has neither value nor lease. */
function checkVersion({ createRevision, modRevision, version }: Numbers, isBare: boolean): void {
  check(Number.isSafeInteger(modRevision) && Number.isSafeInteger(version), "number out of range");
  check(modRevision >= 2 && version >= 0, "impossible version");
  if (version === 0) check(createRevision === 0 && isBare, "full deletion");
  else check(createRevision >= 2 && createRevision <= modRevision, "impossible creation");
}

/** What holds between two versions of a key; `previous` is undefined when the key was not alive. */
function checkSuccession(previous: Numbers | undefined, next: Numbers): void {
  if (next.version === 0) check(previous !== undefined, "deletion of a missing key");
  else if (previous === undefined)
    check(next.version === 1 && next.createRevision === next.modRevision, "late creation");
  else check(next.version === previous.version + 1 && next.createRevision === previous.createRevision, "lost version");
}

function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new SnapshotFormatError(message);
}
