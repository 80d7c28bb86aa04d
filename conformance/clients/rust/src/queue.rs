//! Locks and elections: the server's services, as the crate calls them.

use crate::check::{equal, pending, present, refused, Checks, Outcome, Test};
use crate::lease::SHORT_TTL_SECONDS;
use etcd_client::{
    CampaignResponse, Compare, CompareOp, Error, GetOptions, LeaderKey, LockOptions, LockResponse, ObserveStream,
    ProclaimOptions, ResignOptions, Txn, TxnOp,
};
use tokio::task::JoinHandle;

pub async fn run(checks: &mut Checks) {
    checks.check("lock: two contend, unlock hands over", handed_over).await;
    checks.check("lock: a holder whose lease expires loses it", expired).await;
    checks.check("lock: an abandoned wait leaves no key", abandoned).await;
    checks.check("lock: excludes five tasks from one another", exclusion).await;
    checks.check("election: campaign, observe, proclaim, resign", election).await;
    checks.check("election: no leader, and none but the leader proclaims", no_leader).await;
}

fn start_lock(t: &Test, lease: i64) -> JoinHandle<Result<LockResponse, Error>> {
    let (mut client, name) = (t.client.clone(), t.key("m"));
    tokio::spawn(async move { client.lock(name, Some(LockOptions::new().with_lease(lease))).await })
}

async fn handed_over(mut t: Test) -> Outcome {
    let lease = t.lease(60).await?;
    let held = start_lock(&t, lease).await??;
    equal("key", String::from_utf8_lossy(held.key()).into_owned(), format!("{}/{lease:x}", t.key("m")))?;
    let lease = t.lease(60).await?;
    let waiting = start_lock(&t, lease);
    pending("the second lock", &waiting).await?;
    t.client.unlock(held.key()).await?;
    let second = waiting.await??;
    t.client.unlock(second.key()).await?;
    equal("keys left", t.values("m", GetOptions::new().with_prefix()).await?.len(), 0)
}

async fn expired(mut t: Test) -> Outcome {
    let lease = t.lease(SHORT_TTL_SECONDS).await?;
    let held = start_lock(&t, lease).await??;
    let lease = t.lease(60).await?;
    let waiting = start_lock(&t, lease);
    pending("the second lock", &waiting).await?;
    let second = waiting.await??;
    let guarded_key = t.key("guarded");
    let guarded = |key: &[u8], value: &str| {
        let owner = Compare::create_revision(key, CompareOp::Greater, 0);
        Txn::new().when([owner]).and_then([TxnOp::put(&guarded_key[..], value, None)])
    };
    equal("the old holder is let in", t.client.txn(guarded(held.key(), "late")).await?.succeeded(), false)?;
    equal("the new holder is let in", t.client.txn(guarded(second.key(), "new")).await?.succeeded(), true)?;
    t.client.lease_revoke(lease).await?;
    Ok(())
}

async fn abandoned(mut t: Test) -> Outcome {
    let (first, second, third) = (t.lease(60).await?, t.lease(60).await?, t.lease(60).await?);
    let held = start_lock(&t, first).await??;
    let waiting = start_lock(&t, second);
    pending("the second lock", &waiting).await?;
    let behind = start_lock(&t, third);
    pending("the third lock", &behind).await?;
    waiting.abort();
    equal("aborted", waiting.await.is_err(), true)?;
    t.client.unlock(held.key()).await?;
    let got = behind.await??;
    let keys = t.values("m", GetOptions::new().with_prefix().with_keys_only()).await?;
    let own = String::from_utf8_lossy(got.key()).trim_start_matches(&t.prefix).to_string();
    equal("keys", keys, vec![format!("{own}=")])?;
    t.client.unlock(got.key()).await?;
    Ok(())
}

/// Counts with a read and a later write, which loses counts unless the lock keeps the others out.
async fn exclusion(mut t: Test) -> Outcome {
    t.put("count", "0").await?;
    let mut tasks = Vec::new();
    for _ in 0..5 {
        let (t, lease) = (t.clone(), t.lease(60).await?);
        tasks.push(tokio::spawn(async move { count_up(t, lease).await }));
    }
    for task in tasks {
        task.await??;
    }
    equal("count", t.values("count", GetOptions::new()).await?.join(" "), "count=50".into())
}

async fn count_up(mut t: Test, lease: i64) -> Outcome {
    for _ in 0..10 {
        let held = t.client.lock(t.key("m"), Some(LockOptions::new().with_lease(lease))).await?;
        let got = t.client.get(t.key("count"), None).await?;
        let number: i64 = present("count", got.kvs().first())?.value_str()?.parse()?;
        t.put("count", &(number + 1).to_string()).await?;
        t.client.unlock(held.key()).await?;
    }
    Ok(())
}

fn start_campaign(t: &Test, value: &'static str, lease: i64) -> JoinHandle<Result<CampaignResponse, Error>> {
    let (mut client, name) = (t.client.clone(), t.key("e"));
    tokio::spawn(async move { client.campaign(name, value, lease).await })
}

fn leader_of(answer: &CampaignResponse) -> Outcome<LeaderKey> {
    Ok(present("leader", answer.leader())?.clone())
}

async fn observed(stream: &mut ObserveStream) -> Outcome<String> {
    let answer = present("observation", stream.message().await?)?;
    Ok(present("pair", answer.kv())?.value_str()?.to_string())
}

async fn election(mut t: Test) -> Outcome {
    let (first, second) = (t.lease(60).await?, t.lease(60).await?);
    let one = leader_of(&start_campaign(&t, "one", first).await??)?;
    let mut stream = t.client.observe(t.key("e")).await?;
    equal("observed first", observed(&mut stream).await?, "one".into())?;
    let waiting = start_campaign(&t, "two", second);
    pending("the second campaign", &waiting).await?;
    t.client.proclaim("one again", Some(ProclaimOptions::new().with_leader(one.clone()))).await?;
    equal("observed then", observed(&mut stream).await?, "one again".into())?;
    t.client.resign(Some(ResignOptions::new().with_leader(one.clone()))).await?;
    let two = leader_of(&waiting.await??)?;
    equal("observed at last", observed(&mut stream).await?, "two".into())?;
    let leader = t.client.leader(t.key("e")).await?;
    equal("leader", present("pair", leader.kv())?.value_str()?, "two")?;
    let late = t.client.proclaim("late", Some(ProclaimOptions::new().with_leader(one))).await;
    refused(late, "Unknown", "election: not leader")?;
    t.client.resign(Some(ResignOptions::new().with_leader(two))).await?;
    Ok(())
}

async fn no_leader(mut t: Test) -> Outcome {
    refused(t.client.leader(t.key("e")).await, "Unknown", "election: no leader")?;
    let unnamed = t.client.proclaim("x", None).await;
    refused(unnamed, "Unknown", "\"leader\" field must be provided")
}
