//! Plain Rust on `tokio::process` doing the work of the `http` and exec metrics: how fast it can be on this machine.
//!
//! Fairness: the default multi-threaded runtime, as a Rust programmer would write it. It may use every core, where the
//! JavaScript contestants run their own code on one, so it is a limit, not a peer. It pipes only what it reads, where
//! `spawn()` makes three pipes: that made no difference when measured (1,830–1,960 requests a second either way).
//! Reports are lines that start with `@bench `, as `bench/worker.js` writes them.
//!
//! Messages between two processes are another program: `bin/ipc-bench`.

mod exec;
mod http;

use std::io;
use std::time::Duration;

const USAGE: &str = "child-process-limit http | exec <at a time> <warm-up s> <seconds> | --version";

#[tokio::main]
async fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["http"] => http::serve().await,
        ["exec", width, warm_up, seconds] => {
            let width = width.parse().map_err(io::Error::other)?;
            exec::run(width, seconds_of(warm_up)?, seconds_of(seconds)?).await
        }
        ["--version"] => {
            println!("Rust on tokio::process");
            Ok(())
        }
        _ => Err(io::Error::other(USAGE)),
    }
}

fn seconds_of(text: &str) -> io::Result<Duration> {
    Ok(Duration::from_secs_f64(text.parse().map_err(io::Error::other)?))
}
