package holdfast.clients;

/**
 * The full round of jetcd against the servers that the environment names (conformance/clients/driver/servers.mjs).
 *
 * <p>One line per check on standard output; exit code 1 if one of them failed.
 */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    Checks checks = new Checks();
    KvRound.run(checks);
    WatchRound.run(checks);
    LeaseRound.run(checks);
    LockRound.run(checks);
    ElectionRound.run(checks);
    AuthRound.run(checks);
    TlsRound.run(checks);
    // A check that broke off may have left a thread waiting for ever.
    System.exit(checks.failed() > 0 ? 1 : 0);
  }
}
