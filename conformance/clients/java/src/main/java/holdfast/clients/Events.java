package holdfast.clients;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.Watch;
import io.etcd.jetcd.options.WatchOption;
import io.etcd.jetcd.watch.WatchEvent;
import io.etcd.jetcd.watch.WatchResponse;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A watch whose events are taken one by one, whenever they were delivered. */
final class Events implements Watch.Listener, AutoCloseable {
  private static final long WAIT_SECONDS = 25;

  private final BlockingQueue<WatchEvent> events = new LinkedBlockingQueue<>();
  private final CompletableFuture<Throwable> error = new CompletableFuture<>();
  private final Watch.Watcher watcher;

  /** Watches everything that starts with `prefix`, from this revision on. */
  Events(Client client, ByteSequence prefix, long revision) {
    WatchOption option = WatchOption.builder().isPrefix(true).withRevision(revision).withPrevKV(true).build();
    watcher = client.getWatchClient().watch(prefix, option, this);
  }

  /** The next event. */
  WatchEvent next() throws Exception {
    WatchEvent event = events.poll(WAIT_SECONDS, TimeUnit.SECONDS);
    if (event == null) {
      throw new TimeoutException("no event within " + WAIT_SECONDS + " s");
    }
    return event;
  }

  /** The type, value and previous value of the next event, in words. */
  String nextInWords() throws Exception {
    WatchEvent event = next();
    return String.join(
        " ",
        event.getEventType().toString(),
        event.getKeyValue().getValue().toString(),
        event.getPrevKV().getValue().toString());
  }

  /** The next event, which must be the deletion of this key. */
  void nextIsDeletionOf(ByteSequence key) throws Exception {
    WatchEvent event = next();
    Checks.equal(event.getEventType(), WatchEvent.EventType.DELETE);
    Checks.equal(event.getKeyValue().getKey(), key);
  }

  /** What the watch has ended with. */
  Throwable error() throws Exception {
    return Checks.get(error);
  }

  @Override
  public void onNext(WatchResponse response) {
    events.addAll(response.getEvents());
  }

  @Override
  public void onError(Throwable throwable) {
    error.complete(throwable);
  }

  @Override
  public void onCompleted() {}

  @Override
  public void close() {
    watcher.close();
  }
}
