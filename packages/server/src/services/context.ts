/** What every service needs: the replica, the member's identity, who may do what, and the limits of the API. */
import type { ByteString, ResponseHeader, Writer } from "@holdfast/protocol";
import type { Replica } from "@holdfast/replica";
import type { Access } from "../access/access.js";
import type { ServerEnvironment } from "../environment.js";
import type { ServiceLimits } from "../limits.js";
import { HeaderWriter } from "./header-writer.js";
import { LeaseBounds } from "./lease-bounds.js";
import { LimitHits } from "./limit-hits.js";
import { OpenCalls } from "./open-calls.js";
import { OpenRights } from "./open-rights.js";
import { Quota } from "./quota.js";
import { WatchCounts } from "./watch-counts.js";

/** Who is answering. Both ids are unsigned 64-bit and stable for the life of the data folder. */
export interface Identity {
  readonly clusterId: bigint;
  readonly memberId: bigint;
  readonly name: string;
  /** Addresses clients can reach this server at, as URLs. Known once it listens. */
  clientUrls: readonly string[];
}

export class ServiceContext {
  readonly replica: Replica;
  readonly environment: ServerEnvironment;
  readonly identity: Identity;
  readonly limits: ServiceLimits;
  readonly access: Access;
  readonly openCalls = new OpenCalls();
  /** Keys of locks and elections whose deletion is under way because their caller has gone, with their create revision. */
  readonly abandoned = new Map<ByteString, number>();
  readonly openRights: OpenRights;
  readonly limitHits = new LimitHits();
  readonly watchers: WatchCounts;
  readonly quota: Quota;
  /** Told of every login with an unknown name or a wrong password; of neither, because people type the one for the other. */
  onLoginFailed: (address: string) => void = () => {};
  readonly #headerWriter: HeaderWriter;

  constructor(
    replica: Replica,
    environment: ServerEnvironment,
    identity: Identity,
    limits: ServiceLimits,
    access: Access,
    quotaBytes?: number,
  ) {
    this.replica = replica;
    this.environment = environment;
    this.identity = identity;
    this.#headerWriter = new HeaderWriter(identity);
    this.limits = limits;
    this.access = access;
    this.openRights = new OpenRights(access, environment, limits.openRightsCheckIntervalMs);
    this.watchers = new WatchCounts(limits);
    const bounds = new LeaseBounds(replica.machine, limits);
    this.quota = new Quota({ replica, memberId: identity.memberId, bounds, hits: this.limitHits }, quotaBytes);
  }

  /** The header of an answer given at `revision` (GEN-2, GEN-3). */
  header(revision: number): ResponseHeader {
    const { clusterId, memberId } = this.identity;
    return { clusterId, memberId, revision, raftTerm: this.replica.epoch };
  }

  /** Appends `header(revision)` as the first field of an answer to `writer`: every answer has its header there. */
  writeHeader(writer: Writer, revision: number): void {
    this.#headerWriter.write(writer, revision, this.replica.epoch);
  }

  /** `response` with the identity filled into its header, whose revision the core has set (GEN-3). */
  withHeader<T extends { readonly header: ResponseHeader | undefined }>(response: T): T & { header: ResponseHeader } {
    return { ...response, header: this.header(response.header?.revision ?? this.replica.machine.revision) };
  }

  /** The header of an answer given now. */
  headerNow(): ResponseHeader {
    return this.header(this.replica.machine.revision);
  }
}
