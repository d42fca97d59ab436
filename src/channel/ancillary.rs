//! Bytes together with descriptors (`SCM_RIGHTS`, `unix(7)`).

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recv, recvmsg, sendmsg};

use crate::sys;

/// The most descriptors that the kernel takes with one message (`SCM_MAX_FD`).
pub const MOST: usize = 253;

/// Room for the control messages of one read.
pub struct Room(Vec<u8>);

impl Default for Room {
    fn default() -> Self {
        Self(nix::cmsg_space!([RawFd; MOST]))
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

/// Reads what is there now into `bytes`; descriptors that came with it are added to `fds`, closed at exec. 0 is the end.
///
/// # Errors
/// `EAGAIN` where there is nothing yet, `ECONNRESET`.
pub fn receive(
    socket: BorrowedFd,
    bytes: &mut [u8],
    room: &mut Room,
    fds: &mut Vec<OwnedFd>,
) -> io::Result<usize> {
    let mut parts = [IoSliceMut::new(bytes)];
    let received = recvmsg::<()>(socket.as_raw_fd(), &mut parts, Some(&mut room.0), sys::RECEIVE_FLAGS)?;
    // An error here means that control data was cut short; the kernel has closed what did not fit.
    match received.cmsgs() {
        Ok(messages) => {
            for message in messages {
                if let ControlMessageOwned::ScmRights(rights) = message {
                    fds.extend(rights.into_iter().map(sys::adopt));
                }
            }
        }
        Err(Errno::ENOBUFS) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(received.bytes)
}

/// Waits until there is room to write, at most `patience`, and drops what comes meanwhile: the other end may itself be waiting
/// for room. Says whether anything happened.
pub fn wait_for_room(socket: BorrowedFd, patience: Duration) -> bool {
    let events = libc::POLLIN | libc::POLLOUT;
    let mut set = [libc::pollfd { fd: socket.as_raw_fd(), events, revents: 0 }];
    if sys::wait_for_events(&mut set, Some(patience)).is_err() || set.iter().all(|entry| entry.revents == 0) {
        return false;
    }
    let mut dropped = [0; 16 * 1024];
    while recv(socket.as_raw_fd(), &mut dropped, MsgFlags::MSG_DONTWAIT).is_ok_and(|received| received > 0) {}
    true
}
