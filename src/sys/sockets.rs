//! Sending and receiving on sockets, with and without descriptors.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// Sends as many bytes as fit now, without blocking (`send(2)`).
///
/// # Errors
/// `EAGAIN` if the socket is full, `EPIPE` if the other end is closed.
pub fn send(socket: BorrowedFd, bytes: &[u8]) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: `bytes` is valid for its length.
    restarted(|| unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) })
}

/// The result of [`receive_with_rights`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The number of bytes; 0 means end-of-file.
    pub length: usize,
    /// Whether descriptors came with the bytes. The read may have stopped early because of them.
    pub is_cut: bool,
}

/// Reads from a Unix-domain socket, without blocking, and adds the descriptors that came with the bytes to `fds`, as
/// close-on-exec (`recvmsg(2)`, `SCM_RIGHTS`). `room` is the buffer for control messages. Descriptors that do not fit
/// there or into the process's descriptor table are closed by the kernel.
///
/// # Errors
/// `EAGAIN` if nothing is available, `ECONNRESET`.
pub fn receive_with_rights(
    socket: BorrowedFd,
    bytes: &mut [u8],
    room: &mut [usize],
    fds: &mut Vec<OwnedFd>,
) -> io::Result<Received> {
    let mut part = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: all zeroes are a valid header.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = room.as_mut_ptr().cast();
    header.msg_controllen = size_of_val(room) as _;
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the pointers in the header are valid for their lengths.
    let received = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
    let length = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel has filled `msg_controllen` bytes of the buffer, and `cmsg_len` bytes of each entry. A
    // truncated entry holds valid descriptors only.
    unsafe {
        let mut entry = libc::CMSG_FIRSTHDR(&raw const header);
        while let Some(control) = entry.as_ref() {
            if (control.cmsg_level, control.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                let count =
                    (control.cmsg_len as u64 - u64::from(libc::CMSG_LEN(0))) as usize / size_of::<RawFd>();
                #[expect(clippy::cast_ptr_alignment, reason = "it is read unaligned")]
                let first = libc::CMSG_DATA(entry).cast::<RawFd>();
                for fd in (0..count).map(|i| first.add(i).read_unaligned()) {
                    fds.push(OwnedFd::from_raw_fd(fd));
                }
            }
            entry = libc::CMSG_NXTHDR(&raw const header, entry);
        }
    }
    Ok(Received { length, is_cut: header.msg_controllen != 0 || header.msg_flags & libc::MSG_CTRUNC != 0 })
}

/// The most bytes that [`receive`] reads at once; the same as in libuv.
pub const CHUNK: usize = 64 * 1024;

/// Reads at most [`CHUNK`] bytes from a socket, without blocking, and appends them to `bytes` (`recv(2)`). 0 means
/// end-of-file.
///
/// # Errors
/// `EAGAIN` if nothing is available, `ECONNRESET`.
pub fn receive(socket: BorrowedFd, bytes: &mut Vec<u8>) -> io::Result<usize> {
    thread_local! {
        static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into());
    }
    if bytes.is_empty() {
        // Most outputs need one short read only, for which a large allocation is not worthwhile.
        return SCRATCH.with_borrow_mut(|scratch| {
            let received = receive_raw(socket, scratch.as_mut_ptr(), scratch.len())?;
            bytes.extend_from_slice(scratch.get(..received).unwrap_or_default());
            Ok(received)
        });
    }
    bytes.reserve(CHUNK);
    let received = receive_raw(socket, bytes.spare_capacity_mut().as_mut_ptr().cast(), CHUNK)?;
    // SAFETY: the kernel has initialised this many bytes of the spare capacity.
    unsafe { bytes.set_len(bytes.len() + received) };
    Ok(received)
}

fn receive_raw(socket: BorrowedFd, room: *mut u8, length: usize) -> io::Result<usize> {
    // SAFETY: both callers have room for `length` bytes there.
    restarted(|| unsafe { libc::recv(socket.as_raw_fd(), room.cast(), length, libc::MSG_DONTWAIT) })
}

/// Repeats a system call that was interrupted by a signal, and returns the length that it gives. Without the
/// repetition, data could be left unread, of which edge-triggered epoll would not notify again.
fn restarted(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        match usize::try_from(call()).map_err(|_| io::Error::last_os_error()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
