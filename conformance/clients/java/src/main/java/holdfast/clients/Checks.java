package holdfast.clients;

import io.etcd.jetcd.common.exception.EtcdException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Runs checks one after another and prints what became of each; small assertions with readable reasons. */
final class Checks {
  /** A check that has not ended by then has failed: it waits for something that does not come. */
  private static final long CHECK_DEADLINE_SECONDS = 30;

  private int failed;

  /** What a check does: it passes by returning and fails by throwing. */
  interface Body {
    void run(Resources resources) throws Exception;
  }

  /** What a check has opened, to be closed when it has ended. */
  static final class Resources {
    private final List<AutoCloseable> opened = Collections.synchronizedList(new ArrayList<>());

    /** Closes this when the check has ended. */
    <T extends AutoCloseable> T use(T resource) {
      opened.add(resource);
      return resource;
    }

    private void close() {
      Collections.reverse(opened);
      for (AutoCloseable resource : opened) {
        try {
          resource.close();
        } catch (Exception ignored) {
          // The check has its outcome already.
        }
      }
    }
  }

  int failed() {
    return failed;
  }

  /** Runs one check. */
  void run(String words, Body body) {
    Resources resources = new Resources();
    try {
      inThread(() -> body.run(resources)).get(CHECK_DEADLINE_SECONDS, TimeUnit.SECONDS);
      System.out.println("ok " + words);
    } catch (Exception error) {
      failed += 1;
      System.out.println("FAILED " + words + ": " + inOneLine(causeOf(error)));
      causeOf(error).printStackTrace();
    } finally {
      resources.close();
    }
  }

  /** The answer of a call; an error of the server is thrown as the client types it. */
  static <T> T get(Future<T> answer) throws Exception {
    try {
      return answer.get(CHECK_DEADLINE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException error) {
      throw causeOf(error) instanceof Exception cause ? cause : error;
    }
  }

  static void equal(Object actual, Object expected) {
    if (!Objects.equals(actual, expected)) {
      throw new AssertionError("got " + actual + ", expected " + expected);
    }
  }

  /**
   * Expects a call to fail because the server has answered with this code and these words. The client wraps the
   * status of some calls in an error of its own, of others not, and of its own authentication in a second status.
   */
  static void refused(Future<?> answer, Status.Code code, String words) throws Exception {
    Throwable error = raises(answer, Throwable.class);
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (code.name().equals(codeOf(cause)) && cause.getMessage().contains(words)) {
        return;
      }
    }
    throw new AssertionError("got " + causeOf(error) + ", expected " + code + " " + words, error);
  }

  private static String codeOf(Throwable error) {
    if (error instanceof StatusRuntimeException refusal) {
      return refusal.getStatus().getCode().name();
    }
    return error instanceof EtcdException refusal ? refusal.getErrorCode().name() : "";
  }

  /** Expects a call to fail with an error of this class, and returns that. */
  static <E extends Throwable> E raises(Future<?> answer, Class<E> type) throws Exception {
    try {
      answer.get(CHECK_DEADLINE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException error) {
      for (Throwable cause = error; cause != null; cause = cause.getCause()) {
        if (type.isInstance(cause)) {
          return type.cast(cause);
        }
      }
      throw error;
    }
    throw new AssertionError("did not fail with " + type.getSimpleName());
  }

  private interface Action {
    void run() throws Exception;
  }

  private static Future<Void> inThread(Action action) {
    CompletableFuture<Void> outcome = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                action.run();
                outcome.complete(null);
              } catch (Throwable error) {
                outcome.completeExceptionally(error);
              }
            });
    thread.setDaemon(true);
    thread.start();
    return outcome;
  }

  private static Throwable causeOf(Throwable error) {
    return error instanceof ExecutionException && error.getCause() != null ? causeOf(error.getCause()) : error;
  }

  private static String inOneLine(Throwable error) {
    String message =
        error instanceof TimeoutException ? "not done after " + CHECK_DEADLINE_SECONDS + " s" : error.getMessage();
    return (error.getClass().getSimpleName() + ": " + message).replaceAll("\\s+", " ");
  }
}
