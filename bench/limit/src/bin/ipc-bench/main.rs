//! The reference table: what the kernel's own means of communication give between two processes, at 100 bytes a message.
//!
//! What rigtorp/ipc-bench measures in C, so that the figures can be put beside the ones published with it: blocking calls, one
//! write() a message. Latency is half of a round trip, averaged. Throughput is timed until the other process has said that
//! it has everything, where ipc-bench stops at its last write; over a second the difference is a socket buffer.
//! The report is a line that starts with `@bench `, as `bench/worker.js` writes it.

mod child;
mod parent;
mod transport;

use std::io;
use std::time::Duration;

const USAGE: &str = "ipc-bench tcp | uds | pipe <seconds for each figure> | --version";

/// As in the table that ipc-bench's figures are published in.
const MESSAGE: usize = 100;
/// Ends a stream: the last byte of its last message. All that goes before is zeros.
const LAST: u8 = 1;

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["child", "echo"] => child::echo(),
        ["child", "count", read_size] => child::count(read_size.parse().map_err(io::Error::other)?),
        ["--version"] => {
            println!("plain Rust with blocking calls");
            Ok(())
        }
        [transport, seconds] => {
            let duration = Duration::from_secs_f64(seconds.parse().map_err(io::Error::other)?);
            report(transport::by_name(transport).ok_or_else(|| io::Error::other(USAGE))?, duration)
        }
        _ => Err(io::Error::other(USAGE)),
    }
}

fn report(connect: transport::Connect, duration: Duration) -> io::Result<()> {
    let latency = parent::latency_us(connect, duration)?;
    let throughput = parent::messages_per_second(connect, duration, MESSAGE)?;
    let large_reads = parent::messages_per_second(connect, duration, 64 * 1024)?;
    println!("@bench {{\"latency\":{latency},\"throughput\":{throughput},\"large reads\":{large_reads}}}");
    Ok(())
}
