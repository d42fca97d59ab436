//! What Linux and macOS do alike.

use std::cell::RefCell;
use std::ffi::CStr;
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use libc::{c_int, pid_t};
use nix::sys::resource::{Resource, getrlimit};

/// What [`super::clone_sharing_memory`] gives.
pub struct Cloned {
    pub pid: pid_t,
    /// The process's descriptor, where the kernel gave one.
    pub process: Option<OwnedFd>,
}

/// Turns the `-1` of a libc call into its `errno`.
pub(super) fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// The positive errno of an error that a system call gave.
#[must_use]
pub fn errno(error: &io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

/// How large a page of memory is, bytes (`sysconf(3)`).
#[must_use]
pub fn page_size() -> NonZeroUsize {
    /// What it is nearly everywhere.
    const USUAL: NonZeroUsize = NonZeroUsize::MIN.saturating_add(4095);
    // SAFETY: a plain integer.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).ok().and_then(NonZeroUsize::new).unwrap_or(USUAL)
}

/// How many descriptors this process may have (`getrlimit(2)`, `RLIMIT_NOFILE`).
#[must_use]
pub fn most_descriptors() -> u64 {
    getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft)
}

/// Waits until an entry of `set` is ready or `timeout` is over (`poll(2)`); `None` waits forever. An
/// interruption counts as nothing being ready.
///
/// # Errors
/// `EINVAL`, `ENOMEM`.
pub fn wait_for_events(set: &mut [libc::pollfd], timeout: Option<Duration>) -> io::Result<()> {
    // Rounded up: a wait that ends too early would be repeated.
    let milliseconds =
        timeout.map_or(-1, |timeout| timeout.as_micros().div_ceil(1000).try_into().unwrap_or(c_int::MAX));
    // SAFETY: `set` is valid for its length.
    match check(unsafe { libc::poll(set.as_mut_ptr(), set.len() as libc::nfds_t, milliseconds) }) {
        Err(error) if error.kind() != io::ErrorKind::Interrupted => Err(error),
        Ok(_) => Ok(()),
        Err(_) => {
            for entry in set {
                entry.revents = 0;
            }
            Ok(())
        }
    }
}

/// Whether `fd` is readable, or its other end gone, now.
#[must_use]
pub fn is_readable(fd: BorrowedFd) -> bool {
    let mut set = [libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
    wait_for_events(&mut set, Some(Duration::ZERO)).is_ok() && set.iter().all(|entry| entry.revents != 0)
}

/// Sends what fits now into a socket (`send(2)`).
///
/// # Errors
/// `EAGAIN` where nothing fits, `EPIPE` where nobody reads any more.
pub fn send(socket: BorrowedFd, bytes: &[u8]) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: `bytes` is valid for its length.
    restarted(|| unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) })
}

/// Takes over a descriptor that somebody handed to this process, and closes it at exec.
///
/// # Errors
/// `EBADF` for a number that is no open descriptor.
pub fn adopt(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: plain integers. It fails only for a descriptor that is not open.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, so it is not -1; the caller has been given it and knows of no other owner.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Puts `fd` in the place of `target`, whose number it gets; as a non-blocking one (`dup2(2)`).
///
/// # Errors
/// `EBUSY` where another thread opens something at the same number, `EMFILE`.
pub fn replace(target: RawFd, fd: &OwnedFd) -> io::Result<()> {
    // SAFETY: plain integers. Whoever owns the target goes on owning what is there.
    unsafe {
        check(libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK))?;
        check(libc::dup2(fd.as_raw_fd(), target))?;
        check(libc::fcntl(target, libc::F_SETFD, libc::FD_CLOEXEC)).map(drop)
    }
}

pub(super) fn clock(id: libc::clockid_t) -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is valid for writing; it fails only for a clock that there isn't, and then stays zero.
    unsafe { libc::clock_gettime(id, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Another descriptor of the same thing, close-on-exec (`fcntl(2)`, `F_DUPFD_CLOEXEC`).
///
/// # Errors
/// `EBADF`, `EMFILE`.
pub fn duplicate(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: plain integers; the result is a new descriptor that nobody else knows.
    unsafe { check(libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 3)).map(|fd| OwnedFd::from_raw_fd(fd)) }
}

/// Has `hook` called when the process exits, after JavaScript (`atexit(3)`).
pub fn at_exit(hook: extern "C" fn()) {
    // SAFETY: a plain function; it fails only without memory, and then it isn't called.
    unsafe { libc::atexit(hook) };
}

/// What [`receive_with_rights`] has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// So many bytes; 0 is the end.
    pub length: usize,
    /// Whether the read ended, or may have, because of descriptors that came with the bytes.
    pub is_cut: bool,
}

/// Reads what a Unix-domain socket has now, and adds to `fds` the descriptors that came with it, closed at
/// exec (`recvmsg(2)`, `SCM_RIGHTS`). `room` is for the control data; descriptors that do not fit, or not
/// into the process's table, are closed.
///
/// # Errors
/// `EAGAIN` where there is nothing yet, `ECONNRESET`.
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
    // SAFETY: the header points to valid room for its lengths.
    let received = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, super::RECEIVE_FLAGS) };
    let length = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the kernel has filled the room as far as `msg_controllen` says, each entry as far as its
    // length; cut short, it holds those descriptors that were made.
    unsafe {
        let mut entry = libc::CMSG_FIRSTHDR(&raw const header);
        while let Some(control) = entry.as_ref() {
            if (control.cmsg_level, control.cmsg_type) == (libc::SOL_SOCKET, libc::SCM_RIGHTS) {
                let count =
                    (control.cmsg_len as u64 - u64::from(libc::CMSG_LEN(0))) as usize / size_of::<RawFd>();
                #[expect(clippy::cast_ptr_alignment, reason = "it is read unaligned")]
                let first = libc::CMSG_DATA(entry).cast::<RawFd>();
                for fd in (0..count).map(|i| first.add(i).read_unaligned()) {
                    if cfg!(target_os = "macos") {
                        libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC);
                    }
                    fds.push(OwnedFd::from_raw_fd(fd));
                }
            }
            entry = libc::CMSG_NXTHDR(&raw const header, entry);
        }
    }
    Ok(Received { length, is_cut: header.msg_controllen != 0 || header.msg_flags & libc::MSG_CTRUNC != 0 })
}

/// The most that [`receive`] takes at once, bytes: as much as libuv reads at once.
pub const CHUNK: usize = 64 * 1024;

/// Appends to `bytes` what a socket has now, at most [`CHUNK`] bytes (`recv(2)`); 0 is its end.
///
/// # Errors
/// `EAGAIN` where there is nothing yet, `ECONNRESET`.
pub fn receive(socket: BorrowedFd, bytes: &mut Vec<u8>) -> io::Result<usize> {
    thread_local! {
        static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into());
    }
    if bytes.is_empty() {
        // Most outputs are short, and one read is all: not worth the room for a long one.
        return SCRATCH.with_borrow_mut(|scratch| {
            let received = receive_raw(socket, scratch.as_mut_ptr(), scratch.len())?;
            bytes.extend_from_slice(scratch.get(..received).unwrap_or_default());
            Ok(received)
        });
    }
    bytes.reserve(CHUNK);
    let received = receive_raw(socket, bytes.spare_capacity_mut().as_mut_ptr().cast(), CHUNK)?;
    // SAFETY: the kernel has initialised so many bytes of the spare capacity.
    unsafe { bytes.set_len(bytes.len() + received) };
    Ok(received)
}

fn receive_raw(socket: BorrowedFd, room: *mut u8, length: usize) -> io::Result<usize> {
    // SAFETY: both callers have room for `length` bytes there.
    restarted(|| unsafe { libc::recv(socket.as_raw_fd(), room.cast(), length, libc::MSG_DONTWAIT) })
}

/// The length that a system call gives, which is made again where a signal has interrupted it: an edge-triggered set would not
/// tell of what was not read.
fn restarted(mut call: impl FnMut() -> isize) -> io::Result<usize> {
    loop {
        match usize::try_from(call()).map_err(|_| io::Error::last_os_error()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// Whether `fd` is an open descriptor.
///
/// # Errors
/// `EBADF`.
pub fn check_open(fd: RawFd) -> io::Result<()> {
    // SAFETY: plain integers.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) }).map(drop)
}

/// Whether `fd` is open and kept at exec.
#[must_use]
pub fn is_inheritable(fd: RawFd) -> bool {
    // SAFETY: plain integers.
    check(unsafe { libc::fcntl(fd, libc::F_GETFD) }).is_ok_and(|flags| flags & libc::FD_CLOEXEC == 0)
}

/// Whether this process may execute the regular file at `path`, as `execve(2)` would judge it, without
/// executing it. A file that everybody may execute is not looked at twice: that its mount is `noexec` shows
/// at the exec.
///
/// # Errors
/// The errno that `execve(2)` would give: `EACCES` for a directory or a file without an execute bit, and
/// every error of path resolution.
pub fn check_executable(path: &CStr) -> io::Result<libc::stat> {
    let stat = stat(path)?;
    if stat.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Err(io::Error::from_raw_os_error(libc::EACCES));
    }
    if stat.st_mode & libc::S_IXOTH == 0 {
        check_access(path)?;
    }
    Ok(stat)
}

/// `access(2)` for execution or search, by the effective ids.
fn check_access(path: &CStr) -> io::Result<()> {
    // SAFETY: `path` is NUL-terminated.
    let checked =
        check(unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), libc::X_OK, libc::AT_EACCESS) });
    match checked {
        // A sandbox refuses the call, not the file (`EACCES`): the older one looks with the real ids, which mostly are the same.
        Err(error) if error.raw_os_error() == Some(libc::EPERM) => {
            // SAFETY: `path` is NUL-terminated.
            check(unsafe { libc::access(path.as_ptr(), libc::X_OK) }).map(drop)
        }
        checked => checked.map(drop),
    }
}

/// Whether `chdir(2)` to `path` would succeed.
///
/// # Errors
/// The errno that `chdir(2)` would give.
pub fn check_directory(path: &CStr) -> io::Result<()> {
    if stat(path)?.st_mode & libc::S_IFMT != libc::S_IFDIR {
        return Err(io::Error::from_raw_os_error(libc::ENOTDIR));
    }
    check_access(path)
}

fn stat(path: &CStr) -> io::Result<libc::stat> {
    let mut stat = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: `path` is NUL-terminated and `stat` has room for the result.
    check(unsafe { libc::stat(path.as_ptr(), stat.as_mut_ptr()) })?;
    // SAFETY: stat(2) succeeded, so it filled the struct.
    Ok(unsafe { stat.assume_init() })
}

/// Visits each `NAME=value` of the environment that this process would pass on by itself.
pub fn for_each_env(mut visit: impl FnMut(&CStr)) {
    let mut entry = super::environ();
    if entry.is_null() {
        return;
    }
    // SAFETY: `environ` is a NULL-terminated array of NUL-terminated strings. Node writes to it on this, the
    // main thread only (a Worker has a copy of process.env of its own and never comes here).
    unsafe {
        while !(*entry).is_null() {
            visit(CStr::from_ptr(*entry));
            entry = entry.add(1);
        }
    }
}
