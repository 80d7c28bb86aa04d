//! Runs the crate etcd-client against a server and prints one line per check: `ok <words>` or `FAILED <words>: <why>`.
//!
//! It leaves starting the servers, and the environment variables that say where they are, to ../run.mjs.

mod check;
mod kv;
mod lease;
mod queue;
mod secure;
mod watch;

use check::{environment, Checks};
use etcd_client::Client;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let client = match Client::connect([environment("HOLDFAST_ENDPOINT")], None).await {
        Ok(client) => client,
        Err(error) => {
            println!("FAILED connect: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut checks = Checks::new(client);
    checks.check("connect", |mut t| async move { t.put("a", "1").await.map(|_| ()) }).await;
    if checks.failures > 0 {
        // Without a server, every check would wait for its deadline and say the same.
        return ExitCode::FAILURE;
    }
    kv::run(&mut checks).await;
    watch::run(&mut checks).await;
    lease::run(&mut checks).await;
    queue::run(&mut checks).await;
    secure::run(&mut checks).await;
    if checks.failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
