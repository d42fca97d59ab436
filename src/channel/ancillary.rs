//! Sends and receives bytes together with file descriptors (`SCM_RIGHTS`, `unix(7)`).

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::sys::socket::{ControlMessage, MsgFlags, recv, sendmsg};

use crate::sys::{self, Received};

/// The most descriptors that the kernel accepts in one `sendmsg` (`SCM_MAX_FD`).
pub const MAX_DESCRIPTORS: usize = 253;

/// A buffer for the control messages of one read.
pub struct Room(Vec<usize>);

impl Default for Room {
    fn default() -> Self {
        /// The size of a control message's header, in words.
        const HEADER: usize = 2;
        Self(vec![0; HEADER + (MAX_DESCRIPTORS * size_of::<RawFd>()).div_ceil(size_of::<usize>())])
    }
}

/// Sends as many bytes as fit now, without blocking. `fds` are attached to the first byte (`sendmsg(2)`).
///
/// # Errors
/// `EAGAIN` if the socket is full, `EPIPE` if the other end is closed, `ETOOMANYREFS` if too many descriptors are in
/// flight.
pub fn send(socket: BorrowedFd, bytes: &[u8], fds: &[RawFd]) -> io::Result<usize> {
    if fds.is_empty() {
        return sys::send(socket, bytes);
    }
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    let rights = [ControlMessage::ScmRights(fds)];
    Ok(sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(bytes)], &rights, flags, None)?)
}

/// Reads available bytes into `bytes`, without blocking. Adds the descriptors that came with them to `fds`, as
/// close-on-exec.
///
/// # Errors
/// `EAGAIN` if nothing is available, `ECONNRESET`.
pub fn receive(
    socket: BorrowedFd,
    bytes: &mut [u8],
    room: &mut Room,
    fds: &mut Vec<OwnedFd>,
) -> io::Result<Received> {
    sys::receive_with_rights(socket, bytes, &mut room.0, fds)
}

/// Waits until the socket is writable, for at most `timeout`. Reads and drops incoming bytes meanwhile: the other end
/// may be blocked until its own messages are read. May return early. `may_read`: whether anything may come. Returns
/// whether more may: after the end of what comes the socket would always be readable.
#[must_use]
pub fn wait_for_room(socket: BorrowedFd, timeout: Duration, may_read: bool) -> bool {
    let events = if may_read { libc::POLLIN | libc::POLLOUT } else { libc::POLLOUT };
    let mut set = [libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 }];
    let is_ready = sys::wait_for_events(&mut set, Some(timeout)).is_ok();
    if !is_ready || !may_read {
        return may_read;
    }
    let mut dropped = [0; 16 * 1024];
    // Bounded, because the other end may never stop writing.
    for _ in 0..MAX_READS {
        match recv(socket.as_raw_fd(), &mut dropped, MsgFlags::MSG_DONTWAIT) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(_) => break,
        }
    }
    true
}

/// The most reads before [`wait_for_room`] returns.
const MAX_READS: usize = 64;
