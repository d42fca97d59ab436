//! The child's side: the code that runs between clone and exec, and the two ways to start it.
//!
//! Until the exec the child shares its parent's memory. So it must not allocate, lock or panic (it uses iterators
//! instead of indexing, and arithmetic that cannot overflow), and it makes raw system calls only.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use libc::{c_int, c_void};

use super::Launched;
use super::block::{self, Block, Exec, Slot, Stack};
use crate::process::Process;
use crate::sys;
use crate::sys::child as call;

/// Runs a script without an interpreter line.
pub(super) const SHELL: &CStr = c"/bin/sh";
/// The exit code of a child that could not exec.
const NOT_EXECUTED: c_int = 127;

/// Starts a child that shares this process's memory. On failure returns the block, for another attempt.
pub(super) fn start_sharing_memory(mut block: Box<Block>) -> Result<Launched, (io::Error, Box<Block>)> {
    let stack = match Stack::take() {
        Ok(stack) => stack,
        Err(errno) => return Err((errno.into(), block)),
    };
    let top = stack.top();
    block.stack = Some(stack);
    let exec = Arc::clone(&block.exec);
    exec.occupied.store(1, Ordering::Release);
    let argument = (&raw const *block).cast_mut().cast::<c_void>();
    let clone = |wants_fd| {
        let _blocked = sys::SignalsBlocked::new();
        // SAFETY: all signals are blocked; only this child uses the stack; the block, and with it the exec, is kept
        // by `keep_while_busy` until `occupied` is zero again; `run` makes raw system calls only.
        unsafe { sys::clone_sharing_memory(run, top, argument, &exec.occupied, wants_fd) }
    };
    let cloned = match clone(Process::wants_clone_fd()) {
        Err(error) if Process::wants_clone_fd() && is_refused(&error) => {
            clone(false).inspect(|_| Process::want_no_clone_fd())
        }
        cloned => cloned,
    };
    match cloned {
        Ok(cloned) => {
            block::keep_while_busy(block);
            Ok(Launched { process: Process::new(cloned.pid, cloned.process), exec })
        }
        Err(error) => {
            exec.occupied.store(0, Ordering::Release);
            Err((error, block))
        }
    }
}

/// Whether a sandbox or an emulator refuses the call, as opposed to the system being out of a resource.
pub(super) fn is_refused(error: &io::Error) -> bool {
    !matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE))
}

/// Starts a child with a copy of this process's memory, and waits for its exec. The child reports through a
/// close-on-exec pipe: end-of-file means success, an errno means failure.
pub(super) fn start_forked(block: &Block) -> Result<Launched, i32> {
    let failure = |error: io::Error| sys::errno(&error);
    let (status, report) = sys::status_pipe().map_err(failure)?;
    let blocked = sys::SignalsBlocked::new();
    // SAFETY: the child makes raw system calls only.
    let pid = match unsafe { libc::fork() } {
        -1 => return Err(failure(io::Error::last_os_error())),
        0 => {
            let targets = block.slots.len() as c_int;
            // Moved out of the way, so that placing descriptors does not overwrite the pipe for the report.
            let report = call::duplicate_above(report.as_raw_fd(), targets).unwrap_or(report.as_raw_fd());
            call::report(report, &attempt(block).to_ne_bytes());
            call::exit(NOT_EXECUTED)
        }
        pid => pid,
    };
    drop(blocked);
    drop(report);
    let process = Process::new(pid, None);
    let mut errno = [0; size_of::<i32>()];
    let mut status = File::from(status);
    while let Err(error) = status.read(&mut errno) {
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(failure(error));
        }
    }
    // At once at the end of the pipe, this is still zero.
    Ok(Launched { process, exec: Exec::over(i32::from_ne_bytes(errno)) })
}

extern "C" fn run(argument: *mut c_void) -> c_int {
    // SAFETY: the argument is the block, which is kept until the child has left this memory.
    let block = unsafe { &*argument.cast_const().cast::<Block>() };
    let errno = attempt(block);
    block.exec.errno.store(errno, Ordering::Release);
    call::exit(NOT_EXECUTED)
}

/// Does everything up to and including the exec. Returns only on failure, with the errno.
fn attempt(block: &Block) -> call::Failure {
    match prepare(block, block.slots.len() as c_int) {
        Ok(()) => execute(block),
        Err(errno) => errno,
    }
}

fn prepare(block: &Block, targets: c_int) -> Result<(), call::Failure> {
    if block.detached {
        call::new_session();
    }
    place_descriptors(block, targets)?;
    if let Some(cwd) = &block.cwd {
        // SAFETY: a CString.
        unsafe { call::change_directory(cwd.as_ptr()) }?;
    }
    if block.uid.is_some() || block.gid.is_some() {
        call::drop_groups();
    }
    if let Some(gid) = block.gid {
        call::set_group(gid)?;
    }
    if let Some(uid) = block.uid {
        call::set_user(uid)?;
    }
    call::reset_signals();
    Ok(())
}

fn place_descriptors(block: &Block, targets: c_int) -> Result<(), call::Failure> {
    for (target, slot) in (0..).zip(&block.slots) {
        if let Slot::Inherited(source) | Slot::Piped(source) = slot {
            let fd = source.load(Ordering::Relaxed);
            if (0..target).contains(&fd) {
                source.store(call::duplicate_above(fd, targets)?, Ordering::Relaxed);
            }
        }
    }
    for (target, slot) in (0..).zip(&block.slots) {
        match slot {
            Slot::Null => call::place_null(target)?,
            Slot::Closed => {}
            Slot::Piped(source) => call::place(source.load(Ordering::Relaxed), target)?,
            Slot::Inherited(source) => {
                call::place(source.load(Ordering::Relaxed), target)?;
                if target <= 2 {
                    call::make_blocking(target);
                }
            }
        }
    }
    for (target, slot) in (0..).zip(&block.slots) {
        if let Slot::Closed = slot {
            call::close(target);
        }
    }
    let mut first = targets;
    for kept in block.kept {
        if *kept > first {
            call::close_at_exec(first, kept.wrapping_sub(1));
        }
        if *kept >= first {
            first = kept.wrapping_add(1);
        }
    }
    call::close_at_exec(first, c_int::MAX);
    Ok(())
}

/// Tries one path after the other, as `execvp(3)` does. Returns only on failure, with the errno.
fn execute(block: &Block) -> call::Failure {
    let mut denied = false;
    let mut last = libc::ENOENT;
    for path in &block.paths {
        match execute_path(block, path) {
            libc::EACCES => denied = true,
            errno if sys::search_goes_on(errno) => last = errno,
            errno => return errno,
        }
    }
    if denied { libc::EACCES } else { last }
}

fn execute_path(block: &Block, path: &CStr) -> call::Failure {
    // SAFETY: the path is a CString, and the arrays are NULL-terminated arrays of strings of the block.
    unsafe {
        match call::execute(path.as_ptr(), block.argv.as_ptr(), block.environment.as_ptr()) {
            libc::ENOEXEC if sys::HAS_SHELL => {
                if let Some(slot) = block.shell_argv.get(1) {
                    slot.store(path.as_ptr().cast_mut(), Ordering::Relaxed);
                }
                call::execute(SHELL.as_ptr(), block.shell_argv.as_ptr().cast(), block.environment.as_ptr())
            }
            errno => errno,
        }
    }
}
