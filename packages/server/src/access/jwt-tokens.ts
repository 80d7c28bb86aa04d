/**
 * Signed tokens (AUTH-10): they say by themselves who the caller is, so that several servers and outside issuers can make
 * and check them. Nothing is remembered, so one cannot be voided before it expires but by a change of users or roles, which
 * makes its revision old (AUTH-11).
 */
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type EtcdError, etcdTexts } from "@holdfast/protocol";
import type { AuthView, Caller } from "@holdfast/state-machine";
import type { Algorithm } from "fast-jwt";
import type { JwtOptions } from "../server-options.js";
import { TokenTable } from "./token-table.js";
import type { Tokens } from "./tokens.js";

/** Loaded only where such tokens are in use: a start need not wait for it. */
const require = createRequire(import.meta.url);

/** The JSON web tokens cannot be used as configured. */
export class JwtOptionsError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(`auth.token: ${message}`, options);
    this.name = "JwtOptionsError";
  }
}

const secretMethods = ["HS256", "HS384", "HS512"] as const;
const keyPairMethods = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;
const ttlSecondsDefault = 300;

interface Keys {
  readonly verifying: Buffer | string;
  /** Undefined: tokens are only verified. */
  readonly signing: Buffer | string | undefined;
}

/** A token whose signature was found to be good. */
interface Verified {
  readonly caller: Caller;
  readonly expiresMs: number;
}

export class JwtTokens implements Tokens {
  readonly #auth: AuthView;
  /** By token, in the order in which they were verified: checking a signature takes longer than most calls. */
  readonly #verified = new TokenTable<Verified>();
  readonly #verifiedMax: number;
  readonly #verify: (token: string) => unknown;
  readonly #sign: ((claims: Record<string, unknown>) => string) | undefined;

  /** Reads the keys. `verifiedMax` is how many verified tokens are remembered. Throws `JwtOptionsError`. */
  constructor(auth: AuthView, options: JwtOptions, verifiedMax: number) {
    const algorithm = methodOf(options.signMethod);
    const keys = readKeys(options, algorithm);
    const expiresIn = (options.ttlSeconds ?? ttlSecondsDefault) * 1000;
    if (!(expiresIn > 0)) throw new JwtOptionsError("ttlSeconds must be above 0");
    this.#auth = auth;
    this.#verifiedMax = verifiedMax;
    const { createSigner, createVerifier } = require("fast-jwt") as typeof import("fast-jwt");
    try {
      this.#verify = createVerifier({ key: keys.verifying, algorithms: [algorithm] });
      this.#sign =
        keys.signing === undefined
          ? undefined
          : createSigner({ key: keys.signing, algorithm, expiresIn, noTimestamp: true });
    } catch (cause) {
      throw new JwtOptionsError(`the key does not suit ${algorithm}`, { cause });
    }
  }

  issue(userName: string): string | EtcdError {
    if (this.#sign === undefined) return etcdTexts.verifyOnlyKey;
    return this.#sign({ username: userName, revision: this.#auth.revision });
  }

  caller(token: string): Caller | undefined {
    const known = this.#verified.get(token);
    if (known === undefined) return this.#verifiedCaller(token);
    if (Date.now() < known.expiresMs) return known.caller;
    this.#verified.delete(token);
    return undefined;
  }

  #verifiedCaller(token: string): Caller | undefined {
    let claims: unknown;
    try {
      claims = this.#verify(token);
    } catch {
      // Malformed, badly signed or expired: which of them is nobody's business.
      return undefined;
    }
    const verified = verifiedOf(claims);
    // `exp` is the first moment at which a token is no good any more, not the last at which it is.
    if (verified === undefined || Date.now() >= verified.expiresMs) return undefined;
    this.#remember(token, verified);
    return verified.caller;
  }

  /** Only what was verified gets here: whoever sends rubbish drives nothing out. */
  #remember(token: string, verified: Verified): void {
    if (this.#verified.size >= this.#verifiedMax) this.#verified.deleteOldest();
    this.#verified.set(token, verified);
  }

  voidAll(): void {}
}

interface Claims {
  readonly username?: unknown;
  readonly revision?: unknown;
  readonly exp?: unknown;
}

/** What verified claims say; undefined if they do not say who it is. No user has the empty name (AUTH-22). */
function verifiedOf(claims: unknown): Verified | undefined {
  if (typeof claims !== "object" || claims === null) return undefined;
  const { username, revision, exp }: Claims = claims;
  if (typeof username !== "string" || typeof revision !== "number") return undefined;
  const caller = { userName: username, authRevision: Math.trunc(revision) };
  return { caller, expiresMs: typeof exp === "number" ? exp * 1000 : Number.POSITIVE_INFINITY };
}

function methodOf(signMethod: string): Algorithm {
  const known = [...secretMethods, ...keyPairMethods].find((method) => method === signMethod);
  if (known === undefined) throw new JwtOptionsError(`unknown signMethod "${signMethod}"`);
  return known;
}

function readKeys({ publicKeyFile, privateKeyFile }: JwtOptions, algorithm: Algorithm): Keys {
  if (secretMethods.some((method) => method === algorithm)) {
    if (privateKeyFile === undefined) throw new JwtOptionsError(`${algorithm} needs a privateKeyFile`);
    const secret = readKeyFile(privateKeyFile);
    return { verifying: secret, signing: secret };
  }
  const privateKey = privateKeyFile === undefined ? undefined : parse(privateKeyFile, createPrivateKey);
  const publicKey = publicKeyFile === undefined ? undefined : parse(publicKeyFile, createPublicKey);
  if (privateKey === undefined) {
    if (publicKey === undefined) throw new JwtOptionsError(`${algorithm} needs a publicKeyFile or a privateKeyFile`);
    return { verifying: pemOfPublic(publicKey), signing: undefined };
  }
  const verifying = pemOfPublic(createPublicKey(privateKey));
  if (publicKey !== undefined && pemOfPublic(publicKey) !== verifying) {
    throw new JwtOptionsError("publicKeyFile and privateKeyFile do not belong together");
  }
  return { verifying, signing: privateKey.export({ type: "pkcs8", format: "pem" }) };
}

function pemOfPublic(key: KeyObject): string | Buffer {
  return key.export({ type: "spki", format: "pem" });
}

function parse(file: string, create: (pem: Buffer) => KeyObject): KeyObject {
  const pem = readKeyFile(file);
  try {
    return create(pem);
  } catch (cause) {
    throw new JwtOptionsError(`${file} holds no key that can be used`, { cause });
  }
}

function readKeyFile(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new JwtOptionsError(`${file} cannot be read`, { cause });
  }
  if (bytes.length === 0) throw new JwtOptionsError(`${file} is empty`);
  return bytes;
}
