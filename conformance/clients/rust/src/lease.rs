//! Leases: kept alive, expired, revoked.

use crate::check::{equal, fail, present, refused, Checks, Outcome, Test};
use etcd_client::{Error, EventType, GetOptions, LeaseGrantOptions, LeaseTimeToLiveOptions, PutOptions};
use std::time::{Duration, Instant};
use tokio::time::sleep;

pub const SHORT_TTL_SECONDS: i64 = 2;
const KEPT_ALIVE: Duration = Duration::from_secs(3);
const RENEWAL_PERIOD: Duration = Duration::from_millis(600);

pub async fn run(checks: &mut Checks) {
    checks.check("lease: kept alive beyond its TTL, then expires with its keys", keep_alive).await;
    checks.check("lease: time to live, attached keys, list, chosen id", attached).await;
    checks.check("lease: revoke deletes its keys", revoke).await;
    checks.check("lease: refusals for one that is gone, and for a TTL too large", gone).await;
}

async fn keep_alive(mut t: Test) -> Outcome {
    let lease = t.lease(SHORT_TTL_SECONDS).await?;
    t.put_with("a", "1", PutOptions::new().with_lease(lease)).await?;
    let mut watch = t.client.watch(t.key("a"), None).await?;
    present("created", watch.message().await?)?;
    let (mut keeper, mut answers) = t.client.lease_keep_alive(lease).await?;
    let started = Instant::now();
    while started.elapsed() < KEPT_ALIVE {
        keeper.keep_alive().await?;
        let answer = present("renewal", answers.message().await?)?;
        equal("renewed TTL", answer.ttl(), SHORT_TTL_SECONDS)?;
        sleep(RENEWAL_PERIOD).await;
    }
    equal("while kept alive", t.values("a", GetOptions::new()).await?.join(" "), "a=1".into())?;
    let answer = present("answer of the watch", watch.message().await?)?;
    let kinds: Vec<_> = answer.events().iter().map(|event| event.event_type()).collect();
    equal("events", kinds, vec![EventType::Delete])?;
    keeper.keep_alive().await?;
    equal("TTL when gone", present("answer", answers.message().await?)?.ttl(), 0)
}

async fn attached(mut t: Test) -> Outcome {
    let chosen = 0x5eed_0000_0001;
    equal("id", t.client.lease_grant(60, Some(LeaseGrantOptions::new().with_id(chosen))).await?.id(), chosen)?;
    let again = t.client.lease_grant(60, Some(LeaseGrantOptions::new().with_id(chosen))).await;
    refused(again, "FailedPrecondition", "etcdserver: lease already exists")?;
    t.put_with("a", "1", PutOptions::new().with_lease(chosen)).await?;
    let left = t.client.lease_time_to_live(chosen, Some(LeaseTimeToLiveOptions::new().with_keys())).await?;
    equal("granted", left.granted_ttl(), 60)?;
    equal("time left is near the TTL", (51..=60).contains(&left.ttl()), true)?;
    equal("keys", left.keys(), &[t.key("a").into_bytes()][..])?;
    let listed = t.client.leases().await?;
    equal("listed", listed.leases().iter().any(|lease| lease.id() == chosen), true)?;
    t.client.lease_revoke(chosen).await?;
    Ok(())
}

async fn revoke(mut t: Test) -> Outcome {
    let lease = t.lease(60).await?;
    t.put_with("a", "1", PutOptions::new().with_lease(lease)).await?;
    t.client.lease_revoke(lease).await?;
    equal("left", t.values("a", GetOptions::new()).await?.len(), 0)
}

async fn gone(mut t: Test) -> Outcome {
    refused(t.client.lease_revoke(4711).await, "NotFound", "etcdserver: requested lease not found")?;
    match t.client.lease_keep_alive(4711).await {
        Err(Error::LeaseKeepAliveError(why)) => equal("why", why, "lease not found".into())?,
        other => return fail(format!("keep-alive of a lease that is gone: {other:?}")),
    }
    equal("time to live", t.client.lease_time_to_live(4711, None).await?.ttl(), -1)?;
    let large = t.client.lease_grant(9_000_000_001, None).await;
    refused(large, "OutOfRange", "etcdserver: too large lease TTL")
}
