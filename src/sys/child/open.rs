//! Finds the open descriptors of a process, with raw system calls and without allocating, because a child does this
//! between clone and exec.

use std::ptr;

use libc::c_int;
use syscalls::{Sysno, syscall};

use super::{Failure, close, failure};

/// Visits the open descriptors from `first` to `last`, in no particular order.
pub fn for_each_open(first: c_int, last: c_int, mut visit: impl FnMut(c_int)) {
    let mut visit_in_range = |fd: c_int| {
        if (first..=last).contains(&fd) {
            visit(fd);
        }
    };
    if visit_listed(&mut visit_in_range).is_err() {
        visit_probed(first, &mut visit_in_range);
    }
}

/// The offsets of the name and of the record's length in a record of `getdents64(2)`.
const NAME: usize = 19;
const LENGTH: usize = 16;

/// Visits the descriptors that `/proc/self/fd` lists.
fn visit_listed(visit: &mut impl FnMut(c_int)) -> Result<(), Failure> {
    let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: the path is a NUL-terminated constant.
    let list = unsafe { syscall!(Sysno::openat, libc::AT_FDCWD, c"/proc/self/fd".as_ptr(), flags, 0) };
    let list = list.map_err(failure)? as c_int;
    let mut records = [0u8; 2048];
    let result = loop {
        // SAFETY: the buffer is valid for its length.
        let read = unsafe { syscall!(Sysno::getdents64, list, records.as_mut_ptr(), records.len()) };
        match read {
            Ok(0) => break Ok(()),
            Ok(length) => visit_records(records.get(..length).unwrap_or_default(), list, visit),
            Err(error) => break Err(failure(error)),
        }
    };
    close(list);
    result
}

fn visit_records(mut records: &[u8], list: c_int, visit: &mut impl FnMut(c_int)) {
    while let Some(length) = records.get(LENGTH..).and_then(<[u8]>::first_chunk) {
        let (record, rest) = records.split_at_checked(u16::from_ne_bytes(*length).into()).unwrap_or_default();
        if record.is_empty() {
            return;
        }
        if let Some(fd) = record.get(NAME..).and_then(number).filter(|fd| *fd != list) {
            visit(fd);
        }
        records = rest;
    }
}

/// Parses a NUL-terminated name as a number.
fn number(name: &[u8]) -> Option<c_int> {
    let digits = name.iter().take_while(|byte| **byte != 0);
    digits
        .map(|byte| byte.checked_sub(b'0').filter(|digit| *digit <= 9))
        .try_fold(0, |number: c_int, digit| number.checked_mul(10)?.checked_add(digit?.into()))
}

/// The most descriptors that are probed: the kernel's default of the largest allowed limit (`fs.nr_open`).
const MAX_PROBED: c_int = 1 << 20;
const BATCH: usize = 256;

/// Probes each number from `first` up to the limit of this process, [`BATCH`] at once, with `poll(2)`.
fn visit_probed(first: c_int, visit: &mut impl FnMut(c_int)) {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` has room for the result; the new limit is not given.
    let _ = unsafe {
        syscall!(Sysno::prlimit64, 0, libc::RLIMIT_NOFILE, ptr::null::<libc::rlimit>(), &raw mut limit)
    };
    let end = c_int::try_from(limit.rlim_cur).unwrap_or(MAX_PROBED).min(MAX_PROBED);
    let mut set = [libc::pollfd { fd: -1, events: 0, revents: 0 }; BATCH];
    // poll(2) accepts no more entries than the process may have descriptors.
    let batch = BATCH.min(end.unsigned_abs() as usize).max(1);
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    for start in (first..end).step_by(batch) {
        for (fd, entry) in (start..end).zip(set.iter_mut().take(batch)) {
            *entry = libc::pollfd { fd, events: 0, revents: 0 };
        }
        let count = batch.min(end.saturating_sub(start).unsigned_abs() as usize);
        // SAFETY: the set is valid for `count`, and so is the time; no signal mask.
        let polled = unsafe {
            syscall!(
                Sysno::ppoll,
                set.as_mut_ptr(),
                count,
                &raw const now,
                ptr::null::<u64>(),
                size_of::<u64>()
            )
        };
        if polled.is_ok() {
            let is_open = |entry: &&libc::pollfd| entry.revents & libc::POLLNVAL == 0;
            set.iter().take(count).filter(is_open).for_each(|entry| visit(entry.fd));
        }
    }
}

#[cfg(test)]
mod tests;
