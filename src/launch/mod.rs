//! From a [`Command`] to a running process, without waiting for its exec.
//!
//! `fork` copies page tables and stalls in proportion to resident memory; `vfork` and `posix_spawn` suspend
//! the caller until the exec. The launcher does neither: the child shares this process's memory (`CLONE_VM`),
//! runs a few raw system calls on a stack of its own and execs, while the parent goes on. What the child
//! reads lives in a block that is kept until the kernel says the child has left it, and what failed, if
//! anything, is written there.
//!
//! A child that changes its user id does not share memory: `setuid` would make the parent undumpable (the
//! flag belongs to the memory, not to the process) and would let another user's process at the parent's
//! pages. It is forked, as is every child where the kernel refuses the shared clone, and then this waits for
//! its exec; see `docs/decisions/`.

mod block;
mod child;
mod environment;
pub mod inherited;
mod lookup;
mod method;
mod strings;

use std::ffi::CString;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use block::Block;
pub use block::Outcome;
use environment::Environment;
use method::Method;
pub use method::{launch_method, take_refusal};
pub use strings::Strings;

use crate::process::Process;
use crate::sys;

/// Where a descriptor of the child comes from.
#[derive(Debug)]
pub enum Stdio {
    /// The null device.
    Null,
    /// Not open (what `ignore` means above 2).
    Closed,
    /// A copy of a descriptor of this process.
    Inherit(RawFd),
    /// The child's end of a pair whose other end the parent keeps.
    Pipe(OwnedFd),
}

/// What is to run, and how.
#[derive(Debug)]
pub struct Command {
    /// A name to look up in `PATH`, or a path (anything with a slash).
    pub file: CString,
    /// `argv`, its zeroth entry included.
    pub args: Strings,
    /// `NAME=value` entries; `None` passes this process's environment on as it is.
    pub env: Option<Strings>,
    /// The child's working directory; `None` inherits it.
    pub cwd: Option<CString>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// Whether the child leads a new session (`setsid(2)`).
    pub detached: bool,
    /// The child's descriptors, from 0 up.
    pub stdio: Vec<Stdio>,
}

/// A process just started, whose exec may still be under way.
#[derive(Debug)]
pub struct Launched {
    pub process: Process,
    pub exec: Exec,
}

/// An exec that may still be under way.
#[derive(Debug)]
pub enum Exec {
    /// It is over, or has failed with this positive errno.
    Over(Result<(), i32>),
    /// The child is, or was, in memory of ours.
    InMemory(Arc<Outcome>),
}

impl Exec {
    /// The result of the exec once it is known: the positive errno of what failed is the error. `None`: still
    /// under way.
    #[must_use]
    pub fn poll(&self) -> Option<Result<(), i32>> {
        match self {
            Self::Over(result) => Some(*result),
            Self::InMemory(outcome) => outcome.get(),
        }
    }

    /// Waits for the result.
    ///
    /// # Errors
    /// The positive errno of the step that failed in the child.
    pub fn wait(&self) -> Result<(), i32> {
        match self {
            Self::Over(result) => *result,
            Self::InMemory(outcome) => outcome.wait(None).unwrap_or(Ok(())),
        }
    }

    /// Waits for the result, at most for `patience`.
    #[must_use]
    pub fn wait_for(&self, patience: Duration) -> Option<Result<(), i32>> {
        match self {
            Self::Over(result) => Some(*result),
            Self::InMemory(outcome) => outcome.wait(Some(Instant::now() + patience)),
        }
    }
}

/// More bytes of arguments and environment than this and the kernel may say `E2BIG`, which only exec can
/// tell: the floor of `ARG_MAX` that execve(2) guarantees.
const SURELY_FITS: usize = 128 * 1024;

/// What nothing but the kernel's exec gives, so that no caller expects it of a launch: [`Launched::exec`]
/// tells.
const EXECS_ALONE: [i32; 3] = [libc::ETXTBSY, libc::ENOMEM, libc::EIO];

/// Starts `command`.
///
/// Failures that can be foreseen (a missing or unexecutable file, a missing directory, a closed descriptor)
/// are found before anything is started. Where the caller asks for something that only the child can try (a
/// user id, an argument list near the kernel's limit, a file that the kernel may not know how to run) this waits for the exec; otherwise [`Launched::exec`]
/// tells later.
///
/// # Errors
/// The positive errno, as `execvp(3)`, `chdir(2)`, `clone(2)` or the child's own steps give it. No process is
/// left.
pub fn launch(mut command: Command) -> Result<Launched, i32> {
    check_descriptors(&command.stdio)?;
    let changes_user = command.uid.is_some() || command.gid.is_some();
    let mut uncertain = changes_user || command.size() > SURELY_FITS;
    let environment = command.env.take().map_or_else(Environment::inherited, Environment::given);
    let paths = if changes_user {
        // Another user may see what this one does not, and the other way round: the child finds out.
        lookup::candidates(&command.file, &environment).collect()
    } else {
        let found = lookup::resolve(&command.file, &environment, command.cwd.as_deref());
        let found = found.map_err(|error| sys::errno(&error))?;
        uncertain |= !found.is_known;
        vec![found.path]
    };
    let method = if changes_user { Method::Fork } else { Method::preferred() };
    let mut launched = start(command, paths, environment, method)?;
    if uncertain
        && let Err(errno) = launched.exec.wait()
        && !EXECS_ALONE.contains(&errno)
    {
        let _ = launched.process.wait_for_end();
        return Err(errno);
    }
    Ok(launched)
}

fn start(
    command: Command,
    paths: Vec<CString>,
    environment: Environment,
    method: Method,
) -> Result<Launched, i32> {
    let (block, childs) = Block::new(command, paths, environment);
    let launched = match method {
        Method::Clone => match child::start_sharing_memory(block) {
            Err((error, block)) if child::is_refused(&error) => {
                method::note_refusal(&error);
                child::start_forked(&block)
            }
            Err((error, _)) => Err(sys::errno(&error)),
            Ok(launched) => Ok(launched),
        },
        Method::Fork => child::start_forked(&block),
    };
    drop(childs);
    launched
}

/// Whether every descriptor to be passed on is open.
fn check_descriptors(stdio: &[Stdio]) -> Result<(), i32> {
    for entry in stdio {
        match *entry {
            Stdio::Inherit(fd) if fd < 0 => return Err(libc::EINVAL),
            Stdio::Inherit(fd) => sys::check_open(fd).map_err(|error| sys::errno(&error))?,
            Stdio::Null | Stdio::Closed | Stdio::Pipe(_) => {}
        }
    }
    Ok(())
}

impl Command {
    /// `file` with `args`, the environment, directory and user of this process, and no descriptors.
    #[must_use]
    pub fn new(file: CString, args: Strings) -> Self {
        Self { file, args, env: None, cwd: None, uid: None, gid: None, detached: false, stdio: vec![] }
    }

    /// The bytes that exec has to copy, roughly.
    fn size(&self) -> usize {
        self.args.size() + self.env.as_ref().map_or(0, Strings::size)
    }
}

#[cfg(test)]
mod tests;
