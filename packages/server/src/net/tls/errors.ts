/** What may be wrong with how TLS is set up. Thrown at the start, so that the command can tell the causes apart. */

/** TLS settings that contradict each other, or name what there is not. */
export class TlsOptionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TlsOptionError";
  }
}

/** A certificate, key or list of revoked certificates that cannot be read or used. */
export class CertificateError extends Error {
  readonly file: string;
  /** The system's or OpenSSL's code, such as ENOENT; empty if there is none. */
  readonly code: string;

  constructor(file: string, reason: string, cause?: unknown) {
    super(`${reason}: ${file}${cause instanceof Error ? ` (${cause.message})` : ""}`, { cause });
    this.name = "CertificateError";
    this.file = file;
    this.code = (cause as NodeJS.ErrnoException | undefined)?.code ?? "";
  }
}
