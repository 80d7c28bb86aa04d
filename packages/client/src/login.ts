/** Who the calls of a connection speak for: a token, had by name and password, and had again when it has run out. */
import { authService, etcdErrors, StatusCode } from "@holdfast/protocol";
import type { GrpcClient } from "@holdfast/transport";
import { EtcdError } from "./errors.js";
import type { Credentials } from "./options.js";

const { authenticate } = authService.methods;

/** Upon these texts, and no others, logging in again can help (CLI-4). */
const lostTexts: ReadonlySet<string> = new Set(
  [etcdErrors.invalidAuthToken, etcdErrors.authOldRevision, etcdErrors.userEmpty].map(({ wireMessage }) => wireMessage),
);

export class Login {
  readonly #credentials: Credentials;
  /** Shared by all calls that wait for it. Its value is undefined where authentication is switched off. */
  #token: Promise<string | undefined> | undefined;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** Whether a call that ended with this text may go better after another login. */
  static isLost(text: string): boolean {
    return lostTexts.has(text);
  }

  /** The token; logs in if there is none yet. Throws `EtcdError`. */
  ensure(client: GrpcClient): Promise<string | undefined> {
    if (this.#token === undefined) {
      const token = this.#logIn(client);
      this.#token = token;
      // A login that failed is tried again by the next call.
      token.catch(() => {
        if (this.#token === token) this.#token = undefined;
      });
    }
    return this.#token;
  }

  /** Logs in again, unless that was done since `used`, which `ensure` returned, was had. Throws `EtcdError`. */
  async renew(client: GrpcClient, used: Promise<string | undefined> | undefined): Promise<void> {
    if (this.#token === used) this.#token = undefined;
    await this.ensure(client);
  }

  async #logIn(client: GrpcClient): Promise<string | undefined> {
    const { path, request, response } = authenticate;
    const { user: name, password } = this.#credentials;
    const { status, message } = await client.unary(path, request.encode(request.create({ name, password })));
    if (status.code === StatusCode.ok && message !== undefined) return response.decode(message).token;
    if (status.message === etcdErrors.authNotEnabled.wireMessage) return undefined;
    throw new EtcdError(status.code, status.message, path);
  }
}
