//! Keys: reads, history, deletion, compaction; and transactions.

use crate::check::{equal, fail, present, refused, Checks, Outcome, Test};
use etcd_client::{
    CompactionOptions, Compare, CompareOp, DeleteOptions, GetOptions, PutOptions, SortOrder, SortTarget, Txn, TxnOp,
    TxnOpResponse,
};

pub async fn run(checks: &mut Checks) {
    checks.check("kv: put and get", put_and_get).await;
    checks.check("kv: bytes of any value", any_bytes).await;
    checks.check("kv: prefix, order, limit, count, keys only", ranges).await;
    checks.check("kv: history at a revision", history).await;
    checks.check("kv: a large range in a stream", streamed_range).await;
    checks.check("kv: delete one and a prefix", deletion).await;
    checks.check("kv: refusals with their status", refusals).await;
    checks.check("kv: compaction", compaction).await;
    checks.check("txn: compare, then, else", transaction).await;
    checks.check("txn: every kind of compare", compares).await;
    checks.check("txn: nested, and one revision for all its writes", nested).await;
    checks.check("txn: refusals with their status", refused_transactions).await;
}

async fn put_and_get(mut t: Test) -> Outcome {
    let first = t.put("a", "1").await?;
    let answer = t.client.put(t.key("a"), "2", Some(PutOptions::new().with_prev_key())).await?;
    equal("previous value", present("previous pair", answer.prev_key())?.value_str()?, "1")?;
    let got = t.client.get(t.key("a"), None).await?;
    let kv = present("pair", got.kvs().first())?;
    equal("value", kv.value_str()?, "2")?;
    equal("revisions", (kv.create_revision(), kv.mod_revision(), kv.version()), (first, first + 1, 2))
}

async fn any_bytes(mut t: Test) -> Outcome {
    let raw = [0u8, 255, 10, 128, 0];
    let key = [t.prefix.as_bytes(), &raw].concat();
    t.client.put(key.clone(), raw, None).await?;
    let got = t.client.get(key.clone(), None).await?;
    let kv = present("pair", got.kvs().first())?;
    equal("pair", (kv.key(), kv.value()), (&key[..], &raw[..]))
}

async fn ranges(mut t: Test) -> Outcome {
    for name in ["c", "a", "b", "d"] {
        t.put(name, name).await?;
    }
    let prefix = || GetOptions::new().with_prefix();
    equal("prefix", t.values("", prefix()).await?.join(" "), "a=a b=b c=c d=d".into())?;
    let down = prefix().with_sort(SortTarget::Key, SortOrder::Descend).with_limit(2);
    equal("downwards", t.values("", down).await?.join(" "), "d=d c=c".into())?;
    let newest = prefix().with_sort(SortTarget::Mod, SortOrder::Descend).with_limit(1);
    equal("newest", t.values("", newest).await?.join(" "), "d=d".into())?;
    let between = GetOptions::new().with_range(t.key("d"));
    equal("half-open range", t.values("b", between).await?.join(" "), "b=b c=c".into())?;
    let keys = GetOptions::new().with_keys_only().with_serializable();
    equal("keys only", t.values("a", keys).await?.join(" "), "a=".into())?;
    let limited = t.client.get(t.prefix.clone(), Some(prefix().with_limit(3))).await?;
    equal("more", limited.more(), true)?;
    let counted = t.client.get(t.prefix.clone(), Some(prefix().with_count_only())).await?;
    equal("count, pairs", (counted.count(), counted.kvs().len()), (4, 0))
}

async fn history(mut t: Test) -> Outcome {
    let first = t.put("a", "1").await?;
    let second = t.put("a", "2").await?;
    t.client.delete(t.key("a"), None).await?;
    let at = |revision| GetOptions::new().with_revision(revision);
    equal("at the first", t.values("a", at(first)).await?.join(" "), "a=1".into())?;
    equal("at the second", t.values("a", at(second)).await?.join(" "), "a=2".into())?;
    equal("now", t.values("a", at(0)).await?.len(), 0)
}

async fn streamed_range(mut t: Test) -> Outcome {
    let value = "v".repeat(100_000);
    for i in 0..40 {
        t.put(&format!("{i:02}"), &value).await?;
    }
    let options = GetOptions::new().with_prefix();
    let mut stream = t.client.kv_client().get_stream(t.prefix.clone(), Some(options)).await?;
    let (mut pairs, mut bytes, mut count) = (0, 0, 0);
    while let Some(part) = stream.message().await? {
        pairs += part.kvs().len();
        bytes += part.kvs().iter().map(|kv| kv.value().len()).sum::<usize>();
        count += part.count();
    }
    equal("pairs, bytes, count", (pairs, bytes, count), (40, 40 * value.len(), 40))
}

async fn deletion(mut t: Test) -> Outcome {
    for name in ["a", "b1", "b2"] {
        t.put(name, "x").await?;
    }
    let one = t.client.delete(t.key("a"), Some(DeleteOptions::new().with_prev_key())).await?;
    equal("deleted", one.deleted(), 1)?;
    equal("previous key", present("previous pair", one.prev_kvs().first())?.key_str()?, &t.key("a"))?;
    let two = t.client.delete(t.key("b"), Some(DeleteOptions::new().with_prefix())).await?;
    equal("deleted by prefix", two.deleted(), 2)?;
    equal("left", t.values("", GetOptions::new().with_prefix()).await?.len(), 0)
}

async fn refusals(mut t: Test) -> Outcome {
    let empty = t.client.put("", "x", None).await;
    refused(empty, "InvalidArgument", "etcdserver: key is not provided")?;
    let now = t.put("a", "1").await?;
    let future = t.client.get(t.key("a"), Some(GetOptions::new().with_revision(now + 1000))).await;
    refused(future, "OutOfRange", "etcdserver: mvcc: required revision is a future revision")?;
    let large = t.client.put(t.key("a"), "x".repeat(1_700_000), None).await;
    refused(large, "InvalidArgument", "etcdserver: request is too large")?;
    let leaseless = t.client.put(t.key("a"), "1", Some(PutOptions::new().with_lease(12345))).await;
    refused(leaseless, "NotFound", "etcdserver: requested lease not found")
}

async fn compaction(mut t: Test) -> Outcome {
    let message = "etcdserver: mvcc: required revision has been compacted";
    let first = t.put("a", "1").await?;
    let second = t.put("a", "2").await?;
    t.client.compact(second, Some(CompactionOptions::new().with_physical())).await?;
    let old = t.client.get(t.key("a"), Some(GetOptions::new().with_revision(first))).await;
    refused(old, "OutOfRange", message)?;
    refused(t.client.compact(first, None).await, "OutOfRange", message)?;
    equal("kept", t.values("a", GetOptions::new().with_revision(second)).await?.join(" "), "a=2".into())
}

async fn transaction(mut t: Test) -> Outcome {
    let key = t.key("a");
    let create = |value: &str| {
        Txn::new()
            .when([Compare::create_revision(key.clone(), CompareOp::Equal, 0)])
            .and_then([TxnOp::put(key.clone(), value, None)])
            .or_else([TxnOp::get(key.clone(), None)])
    };
    equal("succeeded", t.client.txn(create("1")).await?.succeeded(), true)?;
    let again = t.client.txn(create("2")).await?;
    equal("succeeded again", again.succeeded(), false)?;
    match again.op_responses().first() {
        Some(TxnOpResponse::Get(got)) => equal("read by else", t.texts(got)?.join(" "), "a=1".into()),
        other => fail(format!("answer of else: {other:?}")),
    }
}

async fn compares(mut t: Test) -> Outcome {
    let (key, lease) = (t.key("a"), t.lease(60).await?);
    let revision = t.put_with("a", "m", PutOptions::new().with_lease(lease)).await?;
    let holding = vec![
        Compare::value(&key[..], CompareOp::Equal, "m"),
        Compare::value(&key[..], CompareOp::Greater, "a"),
        Compare::value(&key[..], CompareOp::Less, "z"),
        Compare::value(&key[..], CompareOp::NotEqual, "n"),
        Compare::version(&key[..], CompareOp::Equal, 1),
        Compare::mod_revision(&key[..], CompareOp::Equal, revision),
        Compare::create_revision(&key[..], CompareOp::Less, revision + 1),
        Compare::lease(&key[..], CompareOp::Equal, lease),
        Compare::value(&t.prefix[..], CompareOp::Equal, "m").with_prefix(),
    ];
    equal("all together", t.client.txn(Txn::new().when(holding)).await?.succeeded(), true)?;
    let wrong = [
        Compare::value(&key[..], CompareOp::Greater, "m"),
        Compare::version(&key[..], CompareOp::NotEqual, 1),
        Compare::mod_revision(&key[..], CompareOp::Less, revision),
        Compare::lease(&key[..], CompareOp::Equal, 0),
    ];
    for (i, compare) in wrong.into_iter().enumerate() {
        let answer = t.client.txn(Txn::new().when([compare])).await?;
        equal(&format!("false compare {i}"), answer.succeeded(), false)?;
    }
    t.client.lease_revoke(lease).await?;
    Ok(())
}

async fn nested(mut t: Test) -> Outcome {
    let inner = Txn::new().and_then([TxnOp::put(t.key("b"), "2", None), TxnOp::get(t.key("a"), None)]);
    let outer = Txn::new().and_then([TxnOp::put(t.key("a"), "1", None), TxnOp::txn(inner)]);
    let answer = t.client.txn(outer).await?;
    let seen = match &answer.op_responses()[1] {
        TxnOpResponse::Txn(inner) => match inner.op_responses().into_iter().nth(1) {
            Some(TxnOpResponse::Get(got)) => t.texts(&got)?.join(" "),
            other => return fail(format!("inner answer: {other:?}")),
        },
        other => return fail(format!("outer answer: {other:?}")),
    };
    equal("seen inside", seen, "a=1".into())?;
    let got = t.client.get(t.prefix.clone(), Some(GetOptions::new().with_prefix())).await?;
    equal("revisions", got.kvs()[0].mod_revision(), got.kvs()[1].mod_revision())
}

async fn refused_transactions(mut t: Test) -> Outcome {
    let put = TxnOp::put(t.key("a"), "1", None);
    let twice = t.client.txn(Txn::new().and_then([put.clone(), put])).await;
    refused(twice, "InvalidArgument", "etcdserver: duplicate key given in txn request")?;
    let many = vec![TxnOp::get(t.key("a"), None); 129];
    let too_many = t.client.txn(Txn::new().and_then(many)).await;
    refused(too_many, "InvalidArgument", "etcdserver: too many operations in txn request")
}
