//! Runs `/bin/echo hi` with a given number in flight and captures the output: what `execFile` and the promise API do.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::task::JoinSet;

pub async fn run(width: usize, warm_up: Duration, measured: Duration) -> io::Result<()> {
    let finished = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let mut lanes = JoinSet::new();
    for _ in 0..width {
        lanes.spawn(lane(finished.clone(), stop.clone()));
    }

    tokio::time::sleep(warm_up).await;
    let before = finished.load(Ordering::Relaxed);
    let from = Instant::now();
    tokio::time::sleep(measured).await;
    let rate = (finished.load(Ordering::Relaxed) - before) as f64 / from.elapsed().as_secs_f64();

    stop.store(true, Ordering::Relaxed);
    for result in lanes.join_all().await {
        result?;
    }
    println!("@bench {{\"rate\":{rate}}}");
    Ok(())
}

/// One process after another until told to stop. Any failure fails the whole run: it must not count as a fast answer.
async fn lane(finished: Arc<AtomicU64>, stop: Arc<AtomicBool>) -> io::Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let output = Command::new("/bin/echo").arg("hi").stdin(Stdio::null()).output().await?;
        if !output.status.success() || output.stdout != b"hi\n" {
            return Err(io::Error::other(format!("echo: {output:?}")));
        }
        finished.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
