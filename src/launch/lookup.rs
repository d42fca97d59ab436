//! Finds the file for a command name before the child is created, as `execvp(3)` would find it in the child.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;

use super::environment::Environment;
use crate::sys;

/// How many bytes of a script the kernel reads to find the interpreter (`BINPRM_BUF_SIZE`).
const HEAD: usize = 256;
/// How many files are remembered as executable.
const REMEMBERED: usize = 256;

/// A file that may be executed.
pub(super) struct Found {
    pub path: CString,
    /// Whether the kernel is known to be able to execute it.
    pub is_known: bool,
}

/// The path to exec for `file`: `file` itself if it contains a slash, otherwise the first executable match in the
/// child's `PATH`. A relative result is relative to `cwd`, the child's working directory, which is checked first.
///
/// # Errors
/// The error of `chdir(2)` or `execvp(3)`: `EACCES` if a match could not be executed, otherwise the error for the
/// last entry that was tried.
pub(super) fn resolve(file: &CStr, environment: &Environment, cwd: Option<&CStr>) -> io::Result<Found> {
    if let Some(cwd) = cwd {
        sys::check_directory(cwd)?;
    }
    let name = file.to_bytes();
    if name.is_empty() {
        return Err(io::Error::from_raw_os_error(libc::ENOENT));
    }
    if !name.contains(&b'/') && name.len() > libc::NAME_MAX as usize {
        return Err(io::Error::from_raw_os_error(libc::ENAMETOOLONG));
    }
    let mut denied = false;
    let mut last = libc::ENOENT;
    for candidate in candidates(file, environment) {
        match check(&candidate, cwd).map_err(|error| sys::errno(&error)) {
            Ok(is_known) => return Ok(Found { path: candidate, is_known }),
            Err(libc::EACCES) => denied = true,
            Err(errno) if sys::search_goes_on(errno) => last = errno,
            Err(errno) => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
    Err(io::Error::from_raw_os_error(if denied { libc::EACCES } else { last }))
}

/// The paths to try for `file`: `file` itself if it contains a slash, otherwise one for each entry of `PATH`.
pub(super) fn candidates(file: &CStr, environment: &Environment) -> impl Iterator<Item = CString> {
    let name = file.to_bytes();
    let is_path = name.contains(&b'/');
    let path = if is_path { &b""[..] } else { environment.get(b"PATH").unwrap_or(sys::DEFAULT_PATH) };
    path.split(|byte| *byte == b':').filter(|directory| directory.len() < libc::PATH_MAX as usize).filter_map(
        move |directory| {
            // An empty entry means the working directory.
            let path = if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() };
            CString::new(path).ok()
        },
    )
}

/// Checks whether an exec of `path` in `cwd` would succeed, and returns whether that is known for sure.
fn check(path: &CStr, cwd: Option<&CStr>) -> io::Result<bool> {
    match cwd {
        Some(cwd) if !path.to_bytes().starts_with(b"/") => {
            check_file(&CString::new([cwd.to_bytes(), b"/", path.to_bytes()].concat())?)
        }
        _ => check_file(path),
    }
}

fn check_file(path: &CStr) -> io::Result<bool> {
    type Identity = (libc::dev_t, libc::ino_t, i64, i64);
    thread_local! {
        static RUNNABLE: RefCell<HashSet<Identity>> = RefCell::default();
    }
    let stat = sys::check_executable(path)?;
    let identity = (stat.st_dev, stat.st_ino, stat.st_ctime, stat.st_ctime_nsec);
    if RUNNABLE.with_borrow(|known| known.contains(&identity)) {
        return Ok(true);
    }
    let mut head = [0; HEAD];
    // If the file cannot be read, the exec will report what is wrong.
    let Ok(length) = File::open(OsStr::from_bytes(path.to_bytes())).and_then(|mut file| file.read(&mut head))
    else {
        return Ok(true);
    };
    let head = head.get(..length).unwrap_or_default();
    match interpreter(head) {
        Some(interpreter) if interpreter.to_bytes().starts_with(b"/") => {
            sys::check_executable(&interpreter).map(|_| true)
        }
        // Relative to the child's working directory: the exec will report an error.
        Some(_) => Ok(true),
        None if sys::HAS_SHELL || sys::is_program(head) => {
            RUNNABLE.with_borrow_mut(|known| {
                if known.len() >= REMEMBERED {
                    known.clear();
                }
                known.insert(identity);
            });
            Ok(true)
        }
        None => Ok(false),
    }
}

/// The interpreter in the first line of a script (`execve(2)`, «Interpreter scripts»).
fn interpreter(head: &[u8]) -> Option<CString> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let name = line.split(|byte| matches!(byte, b' ' | b'\t' | 0)).find(|word| !word.is_empty())?;
    CString::new(name).ok()
}
