// What the scripts about JSON web tokens share: keys, servers that use them, tokens that others sign with them.

import { generateKeyPairSync, sign as signBytes } from "node:crypto";
import { createSigner } from "fast-jwt";
import type { Client } from "./client.js";
import type { ScriptOptions } from "./script.js";
import { authRevision, logIn, quickPasswords, secure } from "./secured.js";
import type { Session } from "./session.js";

export type Claims = Readonly<Record<string, unknown>>;

const pem = { type: "spki", format: "pem" } as const;
export const privatePem = { type: "pkcs8", format: "pem" } as const;
const curve = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
export const stranger = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const secret = "a secret of the two servers and of this script";

export const files = {
  "curve.pem": curve.privateKey.export(privatePem).toString(),
  "curve.pub": curve.publicKey.export(pem).toString(),
  "rsa.pem": rsa.privateKey.export(privatePem).toString(),
  "rsa.pub": rsa.publicKey.export(pem).toString(),
  secret,
};

/** Options of a server that checks (and, unless told otherwise, signs) tokens this way. */
export function servers(kind: string, more: ScriptOptions = {}): ScriptOptions {
  return { ...more, files, args: ["--auth-token", `jwt,${kind}`, ...quickPasswords] };
}

export const onCurve = servers("sign-method=ES256,pub-key={files}/curve.pub,priv-key={files}/curve.pem");
export const sign = createSigner({ key: files["curve.pem"], algorithm: "ES256", noTimestamp: true });
export const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;

/** A token with claims that a decent signer would not put its name to. */
export function signAnything(claims: Claims): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const body = `${encode({ alg: "ES256", typ: "JWT" })}.${encode(claims)}`;
  const signature = signBytes("sha256", Buffer.from(body), { key: files["curve.pem"], dsaEncoding: "ieee-p1363" });
  return `${body}.${signature.toString("base64url")}`;
}

/** A client whose every call carries this token. */
export function withToken(s: Session, token: string): Promise<Client> {
  return s.connect({ metadata: { token } });
}

/** A client that claims this, signed with the servers' key. */
export function claiming(s: Session, claims: Claims): Promise<Client> {
  return withToken(s, sign({ exp: inAnHour(), ...claims }));
}

export function claimsOf(token: string): Claims {
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Claims;
}

/** Switches authentication on, with user ann, who may read and write key a; returns the auth revision. */
export async function secureWithAnn(s: Session): Promise<number> {
  await secure(s, { ann: [["READWRITE", "a"]] });
  return authRevision(await logIn(s, "root"));
}
