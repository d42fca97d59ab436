//! Keeps open files outside this process's table of descriptors.
//!
//! The end of a child is told by a process descriptor. That of a child which lives on would count against this process's limit of
//! descriptors all the while; so a thread keeps it in a table of its own (`CLOSE_RANGE_UNSHARE`), to which it goes by
//! `SCM_RIGHTS`. An epoll set watches open files and not descriptors: the set that the file was added to goes on
//! reporting it, whoever keeps it open.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::channel::ancillary::{self, Room};
use crate::sys;

/// How long to wait before looking again.
const PATIENCE: Duration = Duration::from_millis(10);

static STORE: OnceLock<Store> = OnceLock::new();

/// An open file that is given to the store, until this is dropped.
#[derive(Debug)]
pub struct Stored(u64);

impl Stored {
    /// Gives the open file of `fd` to the store.
    ///
    /// # Errors
    /// `EAGAIN`: later, maybe. `EMFILE`, `ENFILE`, `ENOMEM`; what the kernel says where a thread cannot have a table of its own, always.
    pub fn new(fd: BorrowedFd) -> io::Result<Self> {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let store = Store::of_process()?;
        store.check_open()?;
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        store.answers().insert(number, None);
        let sent = ancillary::send(store.socket.as_fd(), &record(number, true), &[fd.as_raw_fd()]);
        if sent.is_err() {
            store.answers().remove(&number);
        }
        match sent {
            Err(error) if error.raw_os_error() == Some(libc::ETOOMANYREFS) => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            sent => sent.map(|_| Self(number)),
        }
    }

    /// Whether it has arrived, so that the descriptor may be closed; `false` where there was no room for it. `None`: it is not
    /// known yet.
    #[must_use]
    pub fn is_kept(&self) -> Option<bool> {
        let store = STORE.get()?;
        store.read_answers();
        store.answers().get(&self.0).copied().flatten()
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        let Some(store) = STORE.get() else {
            return;
        };
        store.answers().remove(&self.0);
        // The thread may have much to take in before, and to say.
        send_in_time(store.socket.as_fd(), &record(self.0, false), || store.read_answers());
    }
}

/// The thread that keeps files, as others see it.
struct Store {
    socket: OwnedFd,
    stage: Mutex<Stage>,
    /// What the thread has said of each file.
    answers: Mutex<HashMap<u64, Option<bool>>>,
}

#[derive(Clone, Copy)]
enum Stage {
    /// The thread is about to leave the table; its end of the socket is in both then.
    Opening(RawFd),
    Open,
    /// It could not, with this errno.
    Failed(i32),
}

/// What goes over the socket: the number of a file, and whether it is to be kept, or is kept.
const RECORD: usize = size_of::<u64>() + 1;

fn record(number: u64, is_kept: bool) -> [u8; RECORD] {
    let mut record = [u8::from(is_kept); RECORD];
    if let Some(room) = record.first_chunk_mut() {
        *room = number.to_ne_bytes();
    }
    record
}

fn read_record(bytes: &[u8]) -> Option<(u64, bool)> {
    let (number, [is_kept]) = bytes.split_first_chunk()? else { return None };
    Some((u64::from_ne_bytes(*number), *is_kept != 0))
}

impl Store {
    fn of_process() -> io::Result<&'static Self> {
        static OPENING: Mutex<()> = Mutex::new(());
        let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        match STORE.get() {
            Some(store) => Ok(store),
            None => Self::open().map(|store| STORE.get_or_init(|| store)),
        }
    }

    fn open() -> io::Result<Self> {
        let (socket, threads) =
            socketpair(AddressFamily::Unix, SockType::SeqPacket, None, SockFlag::SOCK_CLOEXEC)?;
        let fd = threads.as_raw_fd();
        thread::Builder::new()
            .name("child-process-fds".into())
            .stack_size(64 * 1024)
            .spawn(move || keep_files(&threads))?;
        Ok(Self { socket, stage: Mutex::new(Stage::Opening(fd)), answers: Mutex::default() })
    }

    /// Whether it takes files.
    fn check_open(&self) -> io::Result<()> {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Stage::Opening(fd) = *stage {
            let mut answer = vec![];
            sys::receive(self.socket.as_fd(), &mut answer)?;
            let errno = answer.try_into().map_or(libc::EIO, i32::from_ne_bytes);
            *stage = if errno == 0 { Stage::Open } else { Stage::Failed(errno) };
            // The thread has its own; where it could not leave the table it has closed this one.
            if errno == 0 {
                drop(sys::adopt(fd));
            }
        }
        match *stage {
            Stage::Open => Ok(()),
            Stage::Failed(errno) => Err(io::Error::from_raw_os_error(errno)),
            Stage::Opening(_) => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn answers(&self) -> MutexGuard<'_, HashMap<u64, Option<bool>>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what the thread has said.
    fn read_answers(&self) {
        let mut read = vec![];
        while sys::receive(self.socket.as_fd(), &mut read).is_ok_and(|length| length > 0) {
            if let Some((number, is_kept)) = read_record(&read)
                && let Some(answer) = self.answers().get_mut(&number)
            {
                *answer = Some(is_kept);
            }
            read.clear();
        }
    }
}

/// What the thread does.
fn keep_files(socket: &OwnedFd) {
    let outcome = sys::leave_descriptor_table(socket.as_raw_fd());
    let errno = outcome.as_ref().map_or_else(sys::errno, |()| 0);
    let is_told = sys::send(socket.as_fd(), &errno.to_ne_bytes()).is_ok();
    if outcome.is_err() || !is_told {
        return;
    }
    let mut kept = HashMap::new();
    let mut room = Room::default();
    let mut bytes = [0; RECORD];
    loop {
        sys::wait_until_readable(socket.as_fd());
        let mut files = vec![];
        match ancillary::receive(socket.as_fd(), &mut bytes, &mut room, &mut files) {
            Ok(received) if received.length == 0 => return,
            Ok(_) => {}
            Err(_) => continue,
        }
        match (read_record(&bytes), files.pop()) {
            (Some((number, true)), file) => {
                // Without one the table is full.
                let answer = record(number, file.is_some());
                kept.extend(file.map(|file| (number, file)));
                send_in_time(socket.as_fd(), &answer, || {});
            }
            (Some((number, false)), _) => drop(kept.remove(&number)),
            (None, _) => {}
        }
    }
}

/// Sends, and if need be waits for room; `meanwhile` helps to make some.
fn send_in_time(socket: BorrowedFd, bytes: &[u8], meanwhile: impl Fn()) {
    while sys::send(socket, bytes).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
        meanwhile();
        sys::wait_until_writable(socket, PATIENCE);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use std::fs::File;
    use std::io::Read;

    use super::*;

    fn store(fd: BorrowedFd) -> Stored {
        loop {
            match Stored::new(fd) {
                Ok(stored) => {
                    while stored.is_kept().is_none() {
                        thread::sleep(Duration::from_millis(1));
                    }
                    assert_eq!(stored.is_kept(), Some(true));
                    return stored;
                }
                Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_file_stays_open_until_it_is_let_go() {
        let (reader, writer) = sys::status_pipe().unwrap();
        let stored = store(writer.as_fd());
        drop(writer);
        assert!(!sys::is_readable(reader.as_fd()), "nobody has it open any more");
        drop(stored);
        assert_eq!(File::from(reader).read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn many_files_cost_this_process_no_descriptors() {
        let count = || std::fs::read_dir("/proc/self/fd").unwrap().count();
        let (reader, writer) = sys::status_pipe().unwrap();
        drop(store(writer.as_fd()));
        let before = count();
        let stored: Vec<_> = (0..1000).map(|_| store(writer.as_fd())).collect();
        // Other tests run beside this one.
        assert!(count() < before + 100);
        drop(writer);
        assert!(!sys::is_readable(reader.as_fd()));
        drop(stored);
        assert_eq!(File::from(reader).read(&mut [0]).unwrap(), 0);
    }
}
