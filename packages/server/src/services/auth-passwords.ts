/**
 * The calls of the Auth service in which a password comes along: logging in, adding a user, changing a password.
 *
 * Passwords are hashed before anything is logged; the log knows hashes only (AUTH-14).
 */
import {
  type AuthenticateRequest,
  type AuthUserAddRequest,
  type AuthUserChangePasswordRequest,
  encodeSharedAuthenticateResponse,
  encodeSharedAuthUserAddResponse,
  encodeSharedAuthUserChangePasswordResponse,
  etcdErrors,
  etcdTexts,
  StatusCode,
} from "@holdfast/protocol";
import type { ServerCall, Status } from "@holdfast/transport";
import type { LoginAttempt } from "../access/login-throttle.js";
import { TooManyPasswordsError, UnwantedError } from "../access/passwords.js";
import { proposeAuthChange } from "./auth-change.js";
import type { ServiceContext } from "./context.js";
import { refuse } from "./method.js";
import { statusOf } from "./status.js";

/** Certainly not done, and to be tried again later: with the code that etcd declares for it, not the one it sends elsewhere. */
const tooManyLogins: Status = {
  code: etcdErrors.requestTooManyRequests.code,
  message: etcdErrors.requestTooManyRequests.message,
};

export class PasswordCalls {
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  addUser({ name, password, options }: AuthUserAddRequest, call: ServerCall): void {
    const noPassword = options?.noPassword ?? false;
    const caller = this.#context.access.identify(call);
    const add = (passwordHash: string): void =>
      proposeAuthChange(
        this.#context,
        call,
        { kind: "userAdd", name, passwordHash, noPassword },
        caller,
        encodeSharedAuthUserAddResponse,
      );
    // A user for certificates only: whatever password came along is dropped.
    if (noPassword) add("");
    else this.#hash(password, call, add);
  }

  /** The empty password is none at all: nobody can log in with it (AUTH-15). */
  changePassword({ name, password, hashedPassword }: AuthUserChangePasswordRequest, call: ServerCall): void {
    const caller = this.#context.access.identify(call);
    const change = (passwordHash: string): void =>
      proposeAuthChange(
        this.#context,
        call,
        { kind: "userChangePassword", name, passwordHash },
        caller,
        encodeSharedAuthUserChangePasswordResponse,
      );
    if (password !== "") {
      this.#hash(password, call, change);
      return;
    }
    const given = this.#givenHash(name, hashedPassword);
    if (given === undefined) call.end(statusOf(etcdTexts.noPasswordUser));
    else change(given);
  }

  /**
   * The hash to store for a password that was hashed elsewhere, "" for none. Undefined if it is none that we can check;
   * etcd takes any base64, and such a user can never log in again.
   */
  #givenHash(name: string, hashedPassword: string): string | undefined {
    const user = this.#context.replica.machine.auth.user(name);
    // Whoever is unknown or has no password by design gets that answer, whatever else is wrong.
    if (hashedPassword === "" || user === undefined || user.noPassword) return "";
    const given = Buffer.from(hashedPassword, "base64").toString("latin1");
    return this.#context.access.passwords.parse(given) === undefined ? undefined : given;
  }

  authenticate({ name, password }: AuthenticateRequest, call: ServerCall): void {
    const { access, replica } = this.#context;
    const attempt = access.logins.attempt(name, call.peer.address);
    replica.whenCurrent(() => {
      this.#logIn(name, password, attempt, call).catch((error: unknown) => {
        const isThrottled = error instanceof UnwantedError || error instanceof TooManyPasswordsError;
        if (!isThrottled) endUnhashed(call, error);
        else if (!call.ended) this.#refuse(attempt, call);
      });
    });
  }

  /** Whether there is no such user, its password is another or it has none: the answer is the same, after the same work. */
  async #logIn(name: string, password: string, attempt: LoginAttempt, call: ServerCall): Promise<void> {
    const { access, replica } = this.#context;
    const { auth } = replica.machine;
    const { logins } = access;
    for (;;) {
      if (refuse(call, auth.enabled ? undefined : "auth-not-enabled")) return;
      if (logins.refusal(attempt) !== undefined) {
        this.#refuse(attempt, call);
        return;
      }
      const hash = auth.user(name)?.passwordHash;
      // Others of its kind may have failed by the time that its turn comes.
      const isWanted = (): boolean => !call.ended && logins.refusal(attempt) === undefined;
      const matches = await access.passwords.matches(password, hash, isWanted, logins.isKnown(attempt));
      // The user may have been changed meanwhile: what was compared must be what counts now.
      if (!auth.enabled || auth.user(name)?.passwordHash !== hash) continue;
      if (matches && auth.user(name)?.noPassword === false) {
        logins.granted(attempt);
        this.#giveToken(name, call);
      } else {
        logins.failed(attempt);
        this.#context.onLoginFailed(call.peer.address);
        call.end(statusOf(etcdErrors.authFailed));
      }
      return;
    }
  }

  #refuse(attempt: LoginAttempt, call: ServerCall): void {
    const { logins } = this.#context.access;
    logins.refused(logins.refusal(attempt));
    call.end(tooManyLogins);
  }

  #giveToken(name: string, call: ServerCall): void {
    const token = this.#context.access.tokens.issue(name);
    if (typeof token === "string") {
      call.reply(encodeSharedAuthenticateResponse({ header: this.#context.headerNow(), token }));
    } else call.end(statusOf(token));
  }

  #hash(password: string, call: ServerCall, then: (hash: string) => void): void {
    this.#context.access.passwords
      .hash(password, () => !call.ended)
      .then(then)
      .catch((error: unknown) => endUnhashed(call, error));
  }
}

/** Ends a call whose password was not hashed. */
function endUnhashed(call: ServerCall, error: unknown): void {
  if (error instanceof UnwantedError) return;
  if (error instanceof TooManyPasswordsError) call.end(tooManyLogins);
  // No memory, most likely. Its text is not the client's business.
  else call.end({ code: StatusCode.internal, message: "the password could not be hashed" });
}
