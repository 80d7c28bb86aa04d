package holdfast.clients;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.ClientBuilder;
import io.netty.handler.ssl.SslContextBuilder;
import java.io.File;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;

/** Clients for the servers that the environment names, and names that no other check uses. */
final class Servers {
  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private Servers() {}

  /** A client of the plain server. */
  static Client plain() {
    return builder("http", "HOLDFAST_ENDPOINT").build();
  }

  /** A client of the same server, by way of the proxy. */
  static Client throughProxy() {
    return builder("http", "HOLDFAST_PROXY_ENDPOINT").build();
  }

  /** A client of the server for the auth round, as nobody. */
  static Client auth() {
    return builder("http", "HOLDFAST_AUTH_ENDPOINT").build();
  }

  /** A client of the server for the auth round that authenticates itself. */
  static Client asUser(String user, String password) {
    return builder("http", "HOLDFAST_AUTH_ENDPOINT").user(bytes(user)).password(bytes(password)).build();
  }

  /** A client of the server with TLS, trusting the authority in the file that the variable names. */
  static Client secure(String authority, boolean withCertificate) throws Exception {
    return builder("https", "HOLDFAST_TLS_ENDPOINT")
        .sslContext(context -> identify(context.trustManager(file(authority)), withCertificate))
        // A connection that the other side refuses would be tried again for ever.
        .waitForReady(false)
        .build();
  }

  private static void identify(SslContextBuilder context, boolean withCertificate) {
    if (withCertificate) {
      context.keyManager(file("HOLDFAST_TLS_CERT"), file("HOLDFAST_TLS_KEY"));
    }
  }

  /** Ends every connection through the proxy. */
  static void cutProxy() throws Exception {
    URI address = URI.create(variable("HOLDFAST_CONTROL_URL") + "/cut");
    HttpRequest request = HttpRequest.newBuilder(address).POST(HttpRequest.BodyPublishers.noBody()).build();
    HttpResponse<Void> answer = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.discarding());
    Checks.equal(answer.statusCode(), 200);
  }

  /** A key or name that is new at every call, also across runs. */
  static ByteSequence freshName(String words) {
    return bytes("java/" + ProcessHandle.current().pid() + "/" + NUMBERS.incrementAndGet() + "/" + words);
  }

  static ByteSequence bytes(String text) {
    return ByteSequence.from(text, StandardCharsets.UTF_8);
  }

  static ByteSequence concat(ByteSequence name, String more) {
    return name.concat(bytes(more));
  }

  /** The key that a lock or an election gives to this lease. */
  static ByteSequence queueKey(ByteSequence name, long lease) {
    return concat(name, "/" + Long.toHexString(lease));
  }

  private static ClientBuilder builder(String scheme, String variable) {
    return Client.builder().endpoints(scheme + "://" + variable(variable));
  }

  private static File file(String variable) {
    return new File(variable(variable));
  }

  private static String variable(String name) {
    String value = System.getenv(name);
    if (value == null) {
      throw new IllegalStateException(name + " is not set; conformance/clients/run.mjs starts this program");
    }
    return value;
  }
}
