//! Turns a [`Command`] into a running process, without waiting for its exec.
//!
//! `fork` copies page tables, which takes time in proportion to resident memory; `vfork` and `posix_spawn` suspend
//! the caller until the exec. The launcher does neither: the child shares this process's memory (`CLONE_VM`), makes
//! a few raw system calls on its own stack and execs, while the parent continues. Everything the child reads is in
//! one block, which is kept until the kernel reports that the child has left it. If a step fails, the child writes
//! the errno there.
//!
//! A child that changes its user id does not share memory: `setuid` would make the parent undumpable (that flag
//! belongs to the memory, not to the process), and a process of another user would have access to the parent's
//! pages. Such a child is forked, and so is every child if the kernel refuses the shared clone; then the launcher
//! waits for its exec. See `docs/decisions/launching.md`.

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

use block::Block;
pub use block::Exec;
use environment::Environment;
use method::Method;
pub use method::{launch_method, take_refusal};
pub use strings::Strings;

use crate::process::Process;
use crate::sys;

/// The source of a descriptor of the child.
#[derive(Debug)]
pub enum Stdio {
    /// The null device.
    Null,
    /// Not open (the meaning of `ignore` for descriptors above 2).
    Closed,
    /// A copy of a descriptor of this process.
    Inherit(RawFd),
    /// The child's end of a socket pair; the parent keeps the other end.
    Pipe(OwnedFd),
}

/// What to run, and how.
#[derive(Debug)]
pub struct Command {
    /// A name to look up in `PATH`, or a path (anything with a slash).
    pub file: CString,
    /// `argv`, including `argv[0]`.
    pub args: Strings,
    /// `NAME=value` entries; `None` passes on this process's environment.
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

/// A process that has just been started. Its exec may still be pending.
#[derive(Debug)]
pub struct Launched {
    pub process: Process,
    pub exec: Arc<Exec>,
}

/// With more bytes of arguments and environment than this, the exec may fail with `E2BIG`. execve(2) guarantees that
/// this much is accepted (the floor of `ARG_MAX`).
const SURELY_FITS: usize = 128 * 1024;

/// Errors that only the exec itself can produce. [`launch`] does not return them; [`Launched::exec`] reports them.
const EXECS_ALONE: [i32; 3] = [libc::ETXTBSY, libc::ENOMEM, libc::EIO];

/// Starts `command`.
///
/// Predictable failures (a missing or unexecutable file, a missing directory, a closed descriptor) are detected
/// before anything is started. If the caller asks for something that only the child can try (a user id, an argument
/// list near the kernel's limit, a file that the kernel may not be able to execute), this waits for the exec; otherwise
/// [`Launched::exec`] gives the result later.
///
/// # Errors
/// The positive errno from `execvp(3)`, `chdir(2)`, `clone(2)` or a step in the child. No process is left behind.
pub fn launch(mut command: Command) -> Result<Launched, i32> {
    check_descriptors(&command.stdio)?;
    let changes_user = command.uid.is_some() || command.gid.is_some();
    let mut uncertain = changes_user || command.size() > SURELY_FITS;
    let environment = command.env.take().map_or_else(Environment::inherited, Environment::given);
    let paths = if changes_user {
        // Another user may have other access rights, so the child itself must try the paths.
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

/// Checks that every inherited descriptor is open.
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
    /// Runs `file` with `args`, in the environment and directory and with the user of this process, without
    /// descriptors.
    #[must_use]
    pub fn new(file: CString, args: Strings) -> Self {
        Self { file, args, env: None, cwd: None, uid: None, gid: None, detached: false, stdio: vec![] }
    }

    /// Roughly the number of bytes that exec has to copy.
    fn size(&self) -> usize {
        self.args.size() + self.env.as_ref().map_or(0, Strings::size)
    }
}

#[cfg(test)]
mod tests;
