//! The process that sends, and that measures.

use std::io::{self, Read, Write};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::transport::{Connect, Side};
use crate::{LAST, MESSAGE};

/// Looking at the clock costs little, but not nothing beside a write().
const BETWEEN_LOOKS: u64 = 64;

/// µs one way: half of a round trip, averaged over `duration`.
pub fn latency_us(connect: Connect, duration: Duration) -> io::Result<f64> {
    let mut peer = Peer::start(connect, &["echo"])?;
    peer.round_trips(duration / 10)?;
    let (count, elapsed) = peer.round_trips(duration)?;
    peer.end()?;
    Ok(elapsed.as_secs_f64() * 1e6 / (2 * count) as f64)
}

/// Messages a second from here to a child that reads up to `read_size` bytes at a time.
pub fn messages_per_second(connect: Connect, duration: Duration, read_size: usize) -> io::Result<f64> {
    let mut peer = Peer::start(connect, &["count", &read_size.to_string()])?;
    peer.stream(duration / 10)?;
    let (count, elapsed) = peer.stream(duration)?;
    peer.end()?;
    Ok(count as f64 / elapsed.as_secs_f64())
}

/// The child and our side of what connects us.
struct Peer {
    side: Side,
    child: Child,
}

impl Peer {
    fn start(connect: Connect, role: &[&str]) -> io::Result<Self> {
        let (side, theirs) = connect()?;
        let child = Command::new(std::env::current_exe()?)
            .arg("child")
            .args(role)
            .stdin(theirs.reader)
            .stdout(theirs.writer)
            .spawn()?;
        Ok(Self { side, child })
    }

    fn round_trips(&mut self, duration: Duration) -> io::Result<(u64, Duration)> {
        let mut message = [0; MESSAGE];
        repeat(duration, || {
            self.side.writer.write_all(&message)?;
            self.side.reader.read_exact(&mut message)
        })
    }

    /// Writes one message after another; the time includes the child's answer that it has them all.
    fn stream(&mut self, duration: Duration) -> io::Result<(u64, Duration)> {
        let message = [0; MESSAGE];
        let from = Instant::now();
        let (count, _) = repeat(duration, || self.side.writer.write_all(&message))?;
        let mut last = message;
        last[MESSAGE - 1] = LAST;
        self.side.writer.write_all(&last)?;

        let mut answer = [0; size_of::<u64>()];
        self.side.reader.read_exact(&mut answer)?;
        let elapsed = from.elapsed();
        let (arrived, sent) = (u64::from_ne_bytes(answer), (count + 1) * MESSAGE as u64);
        if arrived != sent {
            return Err(io::Error::other(format!("{arrived} bytes arrived of {sent}")));
        }
        Ok((count + 1, elapsed))
    }

    /// Closes our side, which ends the child.
    fn end(self) -> io::Result<()> {
        let Self { side, mut child } = self;
        drop(side);
        let status = child.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err(io::Error::other(format!("the child ended with {status}")))
        }
    }
}

/// Does `work` again and again for `duration`; how often, and the time that it took in fact.
fn repeat(duration: Duration, mut work: impl FnMut() -> io::Result<()>) -> io::Result<(u64, Duration)> {
    let from = Instant::now();
    let mut count = 0;
    loop {
        work()?;
        count += 1;
        if count % BETWEEN_LOOKS == 0 && from.elapsed() >= duration {
            return Ok((count, from.elapsed()));
        }
    }
}
