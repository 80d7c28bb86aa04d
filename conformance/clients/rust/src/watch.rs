//! Watches: what they deliver, from where, and that one made again after a cut goes on without loss or repetition.

use crate::check::{environment, equal, fail, present, Checks, Outcome, Test, QUIET_TIME};
use etcd_client::{Client, EventType, Txn, TxnOp, WatchFilterType, WatchOptions, WatchResponse, WatchStream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub async fn run(checks: &mut Checks) {
    checks.check("watch: prefix, with previous values", previous_values).await;
    checks.check("watch: from a past revision, with a filter", from_the_past).await;
    checks.check("watch: all events of a transaction in one answer", one_answer).await;
    checks.check("watch: large events in fragments", fragments).await;
    checks.check("watch: progress on request", progress).await;
    checks.check("watch: a compacted start is refused with the compact revision", compacted).await;
    checks.check("watch: two on one stream, one cancelled", two_on_a_stream).await;
    checks.check("watch: made again after a cut, every event exactly once", resumed).await;
}

/// Watches the check's prefix; it has been created when this returns. `start` is the first revision, 0 for now.
async fn watch(t: &Test, mut client: Client, options: WatchOptions, start: i64) -> Outcome<WatchStream> {
    let options = options.with_prefix().with_start_revision(start);
    let mut stream = client.watch(t.prefix.clone(), Some(options)).await?;
    let created = next(&mut stream).await?;
    equal("created", created.created(), true)?;
    Ok(stream)
}

async fn next(stream: &mut WatchStream) -> Outcome<WatchResponse> {
    present("answer of the watch", stream.message().await?)
}

/// The events of an answer as texts without the check's prefix.
fn texts(t: &Test, answer: &WatchResponse) -> Outcome<Vec<String>> {
    let mut texts = Vec::new();
    for event in answer.events() {
        let kv = present("pair", event.kv())?;
        let kind = if event.event_type() == EventType::Put { "PUT" } else { "DELETE" };
        let mut text = format!("{kind} {}={}", kv.key_str()?.trim_start_matches(&t.prefix), kv.value_str()?);
        if let Some(previous) = event.prev_kv() {
            text += &format!(" was {}", previous.value_str()?);
        }
        texts.push(text);
    }
    Ok(texts)
}

/// Reads until there are so many events.
async fn events(t: &Test, stream: &mut WatchStream, count: usize) -> Outcome<Vec<String>> {
    let mut all = Vec::new();
    while all.len() < count {
        let answer = next(stream).await?;
        if answer.canceled() {
            return fail(format!("the watch was cancelled: {}", answer.cancel_reason()));
        }
        all.extend(texts(t, &answer)?);
    }
    Ok(all)
}

async fn previous_values(mut t: Test) -> Outcome {
    let mut stream = watch(&t, t.client.clone(), WatchOptions::new().with_prev_key(), 0).await?;
    t.put("a", "1").await?;
    t.put("a", "2").await?;
    t.client.delete(t.key("a"), None).await?;
    let want = "PUT a=1,PUT a=2 was 1,DELETE a= was 2";
    equal("events", events(&t, &mut stream, 3).await?.join(","), want.into())
}

async fn from_the_past(mut t: Test) -> Outcome {
    let first = t.put("a", "1").await?;
    t.client.delete(t.key("a"), None).await?;
    t.put("a", "2").await?;
    let options = WatchOptions::new().with_filters([WatchFilterType::NoDelete]);
    let mut stream = watch(&t, t.client.clone(), options, first).await?;
    equal("events", events(&t, &mut stream, 2).await?.join(","), "PUT a=1,PUT a=2".into())
}

async fn one_answer(mut t: Test) -> Outcome {
    let mut stream = watch(&t, t.client.clone(), WatchOptions::new(), 0).await?;
    let puts = [TxnOp::put(t.key("a"), "1", None), TxnOp::put(t.key("b"), "2", None)];
    t.client.txn(Txn::new().and_then(puts)).await?;
    equal("events", texts(&t, &next(&mut stream).await?)?.join(","), "PUT a=1,PUT b=2".into())
}

async fn fragments(mut t: Test) -> Outcome {
    let value = "v".repeat(700_000);
    let first = t.put("a", &value).await?;
    for name in ["b", "c", "d"] {
        t.put(name, &value).await?;
    }
    let mut stream = watch(&t, t.client.clone(), WatchOptions::new().with_fragment(), first).await?;
    equal("events", events(&t, &mut stream, 4).await?.len(), 4)
}

async fn progress(mut t: Test) -> Outcome {
    let mut stream = watch(&t, t.client.clone(), WatchOptions::new(), 0).await?;
    let elsewhere = t.client.put("rust/elsewhere", "1", None).await?;
    let now = present("header", elsewhere.header())?.revision();
    stream.request_progress().await?;
    let answer = next(&mut stream).await?;
    equal("events", answer.events().len(), 0)?;
    equal("up to date", present("header", answer.header())?.revision() >= now, true)
}

async fn compacted(mut t: Test) -> Outcome {
    let first = t.put("a", "1").await?;
    let last = t.put("a", "2").await?;
    t.client.compact(last, None).await?;
    let mut stream = watch(&t, t.client.clone(), WatchOptions::new(), first).await?;
    let answer = next(&mut stream).await?;
    equal("cancelled, compact revision", (answer.canceled(), answer.compact_revision()), (true, last))
}

async fn two_on_a_stream(mut t: Test) -> Outcome {
    let mut stream = watch(&t, t.client.clone(), WatchOptions::new().with_watch_id(1), 0).await?;
    stream.watch(t.key("b"), Some(WatchOptions::new().with_watch_id(2))).await?;
    let created = next(&mut stream).await?;
    equal("second created", (created.created(), created.watch_id()), (true, 2))?;
    stream.cancel(1).await?;
    let cancelled = next(&mut stream).await?;
    equal("first cancelled", (cancelled.canceled(), cancelled.watch_id()), (true, 1))?;
    t.put("b", "1").await?;
    let answer = next(&mut stream).await?;
    equal("watch", answer.watch_id(), 2)?;
    equal("events", texts(&t, &answer)?.join(","), "PUT b=1".into())
}

/// What a watch has delivered so far, over several streams.
struct Log {
    events: Vec<String>,
    /// The revision behind the last event: where the next stream begins.
    next_revision: i64,
}

impl Log {
    fn add(&mut self, t: &Test, answer: &WatchResponse) -> Outcome {
        self.events.extend(texts(t, answer)?);
        if let Some(kv) = answer.events().last().and_then(|event| event.kv()) {
            self.next_revision = kv.mod_revision() + 1;
        }
        Ok(())
    }
}

/// The crate does not make a watch again by itself: a program goes on behind the last revision it has seen.
async fn resumed(mut t: Test) -> Outcome {
    let proxied = Client::connect([environment("HOLDFAST_PROXY_ENDPOINT")], None).await?;
    let mut log = Log { events: Vec::new(), next_revision: t.put("begin", "v").await? };
    let mut want = vec!["PUT begin=v".to_string()];
    for round in 0..3 {
        let mut stream = watch(&t, proxied.clone(), WatchOptions::new(), log.next_revision).await?;
        for i in 0..20 {
            t.put(&format!("{round}-{i}"), "v").await?;
            want.push(format!("PUT {round}-{i}=v"));
        }
        log.add(&t, &next(&mut stream).await?)?;
        cut().await?;
        // What had arrived before the cut may still be read; the cut itself shows as an error or as the end.
        while let Ok(Some(answer)) = stream.message().await {
            log.add(&t, &answer)?;
        }
        t.put(&format!("{round}-cut"), "v").await?;
        want.push(format!("PUT {round}-cut=v"));
    }
    let mut stream = watch(&t, proxied, WatchOptions::new(), log.next_revision).await?;
    while log.events.len() < want.len() {
        log.add(&t, &next(&mut stream).await?)?;
    }
    equal("events", log.events, want)?;
    match timeout(QUIET_TIME, stream.message()).await {
        Ok(answer) => fail(format!("after the last event: {answer:?}")),
        Err(_) => Ok(()),
    }
}

/// Has the driver cut every connection through its proxy.
async fn cut() -> Outcome {
    let url = environment("HOLDFAST_CONTROL_URL");
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("POST /cut HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    equal("answer to the cut", answer.starts_with("HTTP/1.1 200"), true)
}
