/**
 * Who calls, and whether they may: the door between requests and the permissions that the state machine keeps.
 *
 * While authentication is off all of this is one test of a boolean: nobody is asked for a token, and none is looked at
 * (AUTH-3).
 */
import { etcdErrors } from "@holdfast/protocol";
import type { Replica } from "@holdfast/replica";
import type { Action, AuthView, Caller, Command, Refusal, StateMachine } from "@holdfast/state-machine";
import type { Peer, ServerCall, Status } from "@holdfast/transport";
import type { ServerEnvironment } from "../environment.js";
import type { AuthOptions, ServerOptions } from "../server-options.js";
import { statusOf, statusOfRefusal } from "../services/status.js";
import { JwtTokens } from "./jwt-tokens.js";
import { type LoginLimits, LoginThrottle } from "./login-throttle.js";
import { passwordCostDefault } from "./password-hash.js";
import { type PasswordLimits, Passwords } from "./passwords.js";
import { type Secrets, systemSecrets } from "./secrets.js";
import { SimpleTokens } from "./simple-tokens.js";
import type { Tokens } from "./tokens.js";

export interface AccessLimits extends PasswordLimits, LoginLimits {
  /** Simple tokens remembered. */
  readonly simpleTokens: number;
  /** Signed tokens of which it is remembered that they are good. */
  readonly verifiedTokens: number;
}

export interface AccessOptions {
  readonly machine: StateMachine;
  readonly limits: AccessLimits;
  readonly auth?: AuthOptions | undefined;
  /** Whether the name in a client's certificate says who it is (AUTH-13): only where clients must show one. Default false. */
  readonly certificatesIdentify?: boolean;
  readonly nowMs: () => number;
  readonly logIndex: () => number;
  /** Default: those of the process. */
  readonly secrets?: Secrets;
}

/** The access of a server with these options. Throws what the constructor of `Access` throws. */
export function accessFor(
  replica: Replica,
  environment: ServerEnvironment,
  limits: AccessLimits,
  { auth, tls }: Pick<ServerOptions, "auth" | "tls">,
): Access {
  return new Access({
    machine: replica.machine,
    limits,
    auth,
    certificatesIdentify: tls?.clientCertAuth === true,
    nowMs: () => environment.nowMs(),
    logIndex: () => replica.appliedIndex,
    secrets: environment.secrets,
  });
}

/** A token was given and stands for nobody. */
export const invalidToken = Symbol("invalid token");
export type InvalidToken = typeof invalidToken;
/** Undefined is nobody: no token, no certificate, or authentication is off. */
export type Identified = Caller | undefined | InvalidToken;

export const invalidTokenStatus: Status = statusOf(etcdErrors.invalidAuthToken);

const tokenTtlSecondsDefault = 300;
const bearer = "Bearer ";

export class Access {
  readonly passwords: Passwords;
  readonly logins: LoginThrottle;
  readonly tokens: Tokens;
  readonly #machine: StateMachine;
  readonly #auth: AuthView;
  readonly #certificatesIdentify: boolean;

  /** Throws `RangeError` for a cost or lifetime out of range, `JwtOptionsError` for keys that cannot be used. */
  constructor(options: AccessOptions) {
    const { machine, limits, auth = {}, certificatesIdentify = false, nowMs, logIndex } = options;
    const { secrets = systemSecrets } = options;
    this.#machine = machine;
    this.#auth = machine.auth;
    this.#certificatesIdentify = certificatesIdentify;
    this.passwords = new Passwords(auth.passwordCost ?? passwordCostDefault, limits, secrets);
    this.logins = new LoginThrottle(limits, nowMs);
    const { token = "simple", tokenTtlSeconds = tokenTtlSecondsDefault } = auth;
    if (!(tokenTtlSeconds > 0)) throw new RangeError("auth.tokenTtlSeconds must be above 0");
    const simple = { ttlMs: tokenTtlSeconds * 1000, tokensMax: limits.simpleTokens, nowMs, logIndex, secrets };
    this.tokens =
      token === "simple"
        ? new SimpleTokens(machine.auth, simple)
        : new JwtTokens(machine.auth, token, limits.verifiedTokens);
  }

  /** Whether authentication is on: nothing here need be asked while it is not. */
  get enabled(): boolean {
    return this.#auth.enabled;
  }

  /** Grows with every change of users, roles and permissions (AUTH-25). */
  get revision(): number {
    return this.#auth.revision;
  }

  /** Who makes `call`, as of now: by its token (GEN-9), else by its certificate. Using a token prolongs it. */
  identify(call: ServerCall): Identified {
    if (!this.#auth.enabled) return undefined;
    const { metadata } = call;
    const token = metadata.get("token") ?? metadata.get("authorization");
    if (token === undefined) return this.#byCertificate(call);
    return this.tokens.caller(token.startsWith(bearer) ? token.slice(bearer.length) : token) ?? invalidToken;
  }

  /** Why `caller` may not do `action` now; undefined if it may. */
  refusal(action: Action, caller: Caller | undefined): Refusal | undefined {
    return this.#machine.accessRefusal(action, caller);
  }

  /**
   * Why `command` would be refused to `caller` now, so that it need not be logged for that: who may not write would fill the
   * disk all the same, and a disk that is full (F6) would be asked again and again. Undefined while there is neither
   * authentication nor an alarm. `apply` asks again when the command's turn comes, and has the
   * last word. To be asked after shape, token and size (ORD-1), of a state that is current (`Replica.whenCurrent`).
   */
  earlyRefusal(command: Command, caller: Caller | undefined): Refusal | undefined {
    const mayBeRefused = this.#auth.enabled || this.#machine.alarms().length > 0;
    return mayBeRefused ? this.#machine.commandRefusal(command, caller) : undefined;
  }

  /** The status with which a call is refused that wants to do `action`; undefined if it may. */
  refusedStatus(action: Action, call: ServerCall): Status | undefined {
    const caller = this.identify(call);
    if (caller === invalidToken) return invalidTokenStatus;
    const refusal = this.#machine.accessRefusal(action, caller);
    return refusal === undefined ? undefined : statusOfRefusal(refusal);
  }

  /** Ends the call if it may not do `action`. True if it did. */
  refuses(action: Action, call: ServerCall): boolean {
    const status = this.refusedStatus(action, call);
    if (status === undefined) return false;
    call.end(status);
    return true;
  }

  /**
   * The same user at the present revision: for what a call does long after it was let in. Its token may have expired
   * meanwhile, which ends nothing that is under way; what the user may do is asked again.
   */
  asOfNow(caller: Caller | undefined): Caller | undefined {
    if (caller === undefined || caller.authRevision === this.#auth.revision) return caller;
    return { userName: caller.userName, authRevision: this.#auth.revision };
  }

  /** What comes in through the gateway speaks with the gateway's certificate, not with the client's (AUTH-13). */
  #byCertificate(call: ServerCall): Caller | undefined {
    if (!this.#certificatesIdentify) return undefined;
    const peer: Peer & { readonly certificateName?: string } = call.peer;
    const userName = peer.certificateName;
    if (userName === undefined || userName === "" || call.metadata.get("grpcgateway-accept") !== undefined)
      return undefined;
    return { userName, authRevision: this.#auth.revision };
  }
}

/** Ends the call if its token stands for nobody. True if it did. */
export function refuseToken(call: ServerCall, caller: Identified): caller is InvalidToken {
  if (caller !== invalidToken) return false;
  call.end(invalidTokenStatus);
  return true;
}
