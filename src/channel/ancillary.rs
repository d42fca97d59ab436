//! Bytes together with descriptors (`SCM_RIGHTS`, `unix(7)`).

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::sys::socket::{ControlMessage, MsgFlags, recv, sendmsg};

use crate::sys::{self, Received};

/// The most descriptors that the kernel takes with one message (`SCM_MAX_FD`).
pub const MOST: usize = 253;

/// Room for the control messages of one read.
pub struct Room(Vec<usize>);

impl Default for Room {
    fn default() -> Self {
        /// The header of the control data, words.
        const HEADER: usize = 2;
        Self(vec![0; HEADER + (MOST * size_of::<RawFd>()).div_ceil(size_of::<usize>())])
    }
}

/// Sends what fits now; `fds` go with the first byte (`sendmsg(2)`).
///
/// # Errors
/// `EAGAIN` where nothing fits, `EPIPE` where nobody reads any more, `ETOOMANYREFS` with too many descriptors under way.
pub fn send(socket: BorrowedFd, bytes: &[u8], fds: &[RawFd]) -> io::Result<usize> {
    if fds.is_empty() {
        return sys::send(socket, bytes);
    }
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    let rights = [ControlMessage::ScmRights(fds)];
    Ok(sendmsg::<()>(socket.as_raw_fd(), &[IoSlice::new(bytes)], &rights, flags, None)?)
}

/// Reads what is there now into `bytes`; descriptors that came with it are added to `fds`, closed at exec.
///
/// # Errors
/// `EAGAIN` where there is nothing yet, `ECONNRESET`.
pub fn receive(
    socket: BorrowedFd,
    bytes: &mut [u8],
    room: &mut Room,
    fds: &mut Vec<OwnedFd>,
) -> io::Result<Received> {
    sys::receive_with_rights(socket, bytes, &mut room.0, fds)
}

/// Waits until there is room to write, at most `patience`, and drops some of what comes meanwhile: the other end may itself be
/// waiting for room. May return early.
pub fn wait_for_room(socket: BorrowedFd, patience: Duration) {
    let events = libc::POLLIN | libc::POLLOUT;
    let mut set = [libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 }];
    if sys::wait_for_events(&mut set, Some(patience)).is_ok() {
        let mut dropped = [0; 16 * 1024];
        // Bounded: the other end may write without end.
        for _ in 0..MOST_DROPPED {
            if !recv(socket.as_raw_fd(), &mut dropped, MsgFlags::MSG_DONTWAIT).is_ok_and(|length| length > 0)
            {
                return;
            }
        }
    }
}

/// So many reads at most between two looks at whether there is room.
const MOST_DROPPED: usize = 64;
