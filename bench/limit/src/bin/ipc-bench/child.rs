//! The other process, its side of the transport as standard input and output. It ends when the parent closes its own.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;

use crate::transport::Side;
use crate::{LAST, MESSAGE};

/// Answers each message with itself.
pub fn echo() -> io::Result<()> {
    let mut side = side()?;
    let mut message = [0; MESSAGE];
    loop {
        match side.reader.read_exact(&mut message) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            result => result?,
        }
        side.writer.write_all(&message)?;
    }
}

/// Reads up to `read_size` bytes at a time and answers each end of a stream with the number of bytes that it had.
pub fn count(read_size: usize) -> io::Result<()> {
    let mut side = side()?;
    let mut buffer = vec![0; read_size];
    let mut bytes: u64 = 0;
    loop {
        let length = side.reader.read(&mut buffer)?;
        if length == 0 {
            return Ok(());
        }
        bytes += length as u64;
        // Nothing follows the end of a stream before it is answered, so it can only be the last byte that was read.
        if buffer[length - 1] == LAST {
            side.writer.write_all(&bytes.to_ne_bytes())?;
            bytes = 0;
        }
    }
}

/// Standard input and output without the buffers that std puts around them.
fn side() -> io::Result<Side> {
    Ok(Side {
        reader: File::from(io::stdin().as_fd().try_clone_to_owned()?),
        writer: File::from(io::stdout().as_fd().try_clone_to_owned()?),
    })
}
