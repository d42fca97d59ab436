//! The means that are compared, each as two descriptors a process: one to read from, one to write to.
//! The child gets its own as standard input and output, so that it need not know which means it is.

use std::fs::File;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// One process's side.
pub struct Side {
    pub reader: File,
    pub writer: File,
}

pub type Connect = fn() -> io::Result<(Side, Side)>;

pub fn by_name(name: &str) -> Option<Connect> {
    match name {
        "tcp" => Some(tcp),
        "uds" => Some(uds),
        "pipe" => Some(pipe),
        _ => None,
    }
}

fn tcp() -> io::Result<(Side, Side)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let ours = TcpStream::connect(listener.local_addr()?)?;
    let (theirs, _) = listener.accept()?;
    ours.set_nodelay(true)?;
    theirs.set_nodelay(true)?;
    Ok((socket(ours)?, socket(theirs)?))
}

fn uds() -> io::Result<(Side, Side)> {
    let (ours, theirs) = UnixStream::pair()?;
    Ok((socket(ours)?, socket(theirs)?))
}

fn pipe() -> io::Result<(Side, Side)> {
    let (from_child, to_parent) = io::pipe()?;
    let (from_parent, to_child) = io::pipe()?;
    let ours = Side { reader: file(from_child), writer: file(to_child) };
    let theirs = Side { reader: file(from_parent), writer: file(to_parent) };
    Ok((ours, theirs))
}

fn socket(stream: impl Into<OwnedFd>) -> io::Result<Side> {
    let writer = file(stream);
    Ok(Side { reader: writer.try_clone()?, writer })
}

/// A `File` only reads and writes its descriptor, whatever that is: what the C programs do with read() and write().
fn file(descriptor: impl Into<OwnedFd>) -> File {
    File::from(descriptor.into())
}
