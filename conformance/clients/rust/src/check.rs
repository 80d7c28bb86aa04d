//! One check at a time: its deadline, its own keys, and how it says what went wrong.

use etcd_client::{Client, Error, GetOptions, GetResponse, PutOptions};
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const CHECK_DEADLINE: Duration = Duration::from_secs(20);
/// How long a check waits to see that something does not happen.
pub const QUIET_TIME: Duration = Duration::from_millis(150);

/// Why a check failed.
pub struct Failure(String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure(format!("unexpected error: {error}"))
    }
}

pub type Outcome<T = ()> = Result<T, Failure>;

pub fn fail<T>(why: impl Into<String>) -> Outcome<T> {
    Err(Failure(why.into()))
}

pub fn equal<T: PartialEq + Debug>(what: &str, got: T, want: T) -> Outcome {
    if got == want {
        Ok(())
    } else {
        fail(format!("{what}: got {got:?}, want {want:?}"))
    }
}

/// Demands the value; what an answer must contain.
pub fn present<T>(what: &str, value: Option<T>) -> Outcome<T> {
    value.ok_or_else(|| Failure(format!("{what} is missing")))
}

/// Demands a gRPC status of this code and message: what a program that uses the crate can tell errors apart by.
pub fn refused<T>(result: Result<T, Error>, code: &str, message: &str) -> Outcome {
    match result {
        Ok(_) => fail(format!("want {message:?}, got an answer")),
        Err(Error::GRpcStatus(status)) => {
            let got = (format!("{:?}", status.code()), status.message().to_string());
            equal("status", got, (code.to_string(), message.to_string()))
        }
        Err(error) => fail(format!("want a status, got {error:?}")),
    }
}

/// The driver's variable of this name. It is always set, except when the program is started by hand.
pub fn environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run this by conformance/clients/run.mjs"))
}

pub struct Checks {
    client: Client,
    number: u32,
    pub failures: u32,
}

impl Checks {
    pub fn new(client: Client) -> Self {
        Checks { client, number: 0, failures: 0 }
    }

    /// Runs the body with a deadline and prints what became of it.
    pub async fn check<F, Fut>(&mut self, words: &str, body: F)
    where
        F: FnOnce(Test) -> Fut,
        Fut: Future<Output = Outcome>,
    {
        self.number += 1;
        let test = Test { client: self.client.clone(), prefix: format!("rust/{}/", self.number) };
        let why = match timeout(CHECK_DEADLINE, body(test)).await {
            Ok(Ok(())) => return println!("ok {words}"),
            Ok(Err(Failure(why))) => why,
            Err(_) => "does not end".to_string(),
        };
        self.failures += 1;
        println!("FAILED {words}: {}", why.replace('\n', " "));
    }
}

/// One running check.
#[derive(Clone)]
pub struct Test {
    pub client: Client,
    /// Before every key that only this check uses.
    pub prefix: String,
}

impl Test {
    pub fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Puts under the check's prefix; returns the revision.
    pub async fn put(&mut self, name: &str, value: &str) -> Outcome<i64> {
        self.put_with(name, value, PutOptions::new()).await
    }

    pub async fn put_with(&mut self, name: &str, value: &str, options: PutOptions) -> Outcome<i64> {
        let answer = self.client.put(self.key(name), value, Some(options)).await?;
        Ok(present("header", answer.header())?.revision())
    }

    /// Reads a key, or a range with options, as "key=value" texts without the check's prefix.
    pub async fn values(&mut self, name: &str, options: GetOptions) -> Outcome<Vec<String>> {
        let answer = self.client.get(self.key(name), Some(options)).await?;
        self.texts(&answer)
    }

    pub fn texts(&self, answer: &GetResponse) -> Outcome<Vec<String>> {
        let mut texts = Vec::new();
        for kv in answer.kvs() {
            let key = kv.key_str()?.trim_start_matches(&self.prefix);
            texts.push(format!("{key}={}", kv.value_str()?));
        }
        Ok(texts)
    }

    /// A lease that is not kept alive.
    pub async fn lease(&mut self, ttl_seconds: i64) -> Outcome<i64> {
        Ok(self.client.lease_grant(ttl_seconds, None).await?.id())
    }
}

/// Demands that started work has not ended after a while.
pub async fn pending<T>(what: &str, work: &JoinHandle<T>) -> Outcome {
    sleep(QUIET_TIME).await;
    if work.is_finished() {
        fail(format!("{what}: ended too early"))
    } else {
        Ok(())
    }
}
