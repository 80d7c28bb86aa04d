/** The certificate files of a running server: read at the start, and again when they change or somebody asks. */
import { X509Certificate } from "node:crypto";
import type { Logger } from "../../logger.js";
import type { NetCounters } from "../counters.js";
import { type KeyPair, readKeyPair, readTrust, type Trust } from "./credentials.js";
import { FileWatch } from "./file-watch.js";
import type { TlsSettings } from "./settings.js";

/** Takes what was read into use. Throws if it cannot be used. */
export type UseCertificates = (pair: KeyPair, trust: Trust) => void;

export class Certificates {
  readonly #settings: TlsSettings;
  readonly #ownPair: KeyPair | undefined;
  readonly #logger: Logger;
  readonly #counters: NetCounters;
  readonly #watch: FileWatch;
  #use: UseCertificates = () => {};
  #pair: KeyPair;
  #trust: Trust;

  /** Reads the files. `ownPair` is used where the settings name none. Throws `CertificateError`. */
  constructor(settings: TlsSettings, ownPair: KeyPair | undefined, logger: Logger, counters: NetCounters) {
    this.#settings = settings;
    this.#ownPair = ownPair;
    this.#logger = logger;
    this.#counters = counters;
    this.#watch = new FileWatch(this.#files(), () => this.#changed());
    this.#pair = this.#readPair();
    this.#trust = this.#readTrust();
    this.#sayValidity();
  }

  get pair(): KeyPair {
    return this.#pair;
  }

  get trust(): Trust {
    return this.#trust;
  }

  /** From now on `use` gets what is read anew. */
  onReload(use: UseCertificates): void {
    this.#use = use;
  }

  /** Reads the files again and takes them into use. Throws `CertificateError`; all stays as it was then. */
  reload(): void {
    const pair = this.#readPair();
    const trust = this.#readTrust();
    this.#use(pair, trust);
    this.#pair = pair;
    this.#trust = trust;
    this.#counters.certificateReloads++;
    this.#sayValidity();
  }

  /** Looks whether the files have changed; to be called now and then. */
  look(): Promise<void> {
    return this.#watch.look();
  }

  /** Half of a change may be seen, a certificate without its key: the other half is another change. */
  #changed(): void {
    try {
      this.reload();
    } catch (error) {
      this.#counters.certificateReloadFailures++;
      this.#logger.error({ err: error }, "the changed certificates cannot be used; those before stay in use");
    }
  }

  #readPair(): KeyPair {
    const { pair } = this.#settings;
    if (pair !== undefined) return readKeyPair(pair.certFile, pair.keyFile);
    if (this.#ownPair === undefined) throw new Error("neither certificate files nor a certificate of our own");
    return this.#ownPair;
  }

  #readTrust(): Trust {
    return readTrust(this.#settings.trustedCaFile, this.#settings.crlFile);
  }

  #files(): string[] {
    const { pair, trustedCaFile, crlFile } = this.#settings;
    const files = [pair?.certFile, pair?.keyFile, trustedCaFile, crlFile];
    return files.filter((file) => file !== undefined);
  }

  #sayValidity(): void {
    const { subjectAltName, validFrom, validTo, fingerprint256 } = new X509Certificate(this.#pair.cert);
    const fields = { subjectAltName, validFrom, validTo, fingerprint256 };
    const now = Date.now();
    if (now < Date.parse(validFrom) || now >= Date.parse(validTo)) {
      this.#logger.warn(fields, "the certificate is not valid at this time; clients will refuse it");
    } else {
      this.#logger.info(fields, "certificate in use");
    }
  }
}
