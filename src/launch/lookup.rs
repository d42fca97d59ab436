//! Finds the file for a command name before the child is created, as `execvp(3)` would find it in the child.

use std::cell::RefCell;
use std::collections::HashSet;
use std::ffi::{CStr, CString, OsStr};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;

use super::environment::Environment;
use crate::sys;

/// Where `execvp(3)` looks when the environment has no `PATH` (`confstr(3)`, `_CS_PATH`).
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";
/// How many bytes of a script the kernel reads to find the interpreter (`BINPRM_BUF_SIZE`).
const HEAD: usize = 256;
/// How many files are remembered as executable.
const REMEMBERED: usize = 256;

/// The path to exec for `file`: `file` itself if it contains a slash, otherwise the first executable match in the
/// child's `PATH`. A relative result is relative to `cwd`, the child's working directory, which is checked first.
///
/// # Errors
/// The error of `chdir(2)` or `execvp(3)`: `EACCES` if a match could not be executed, otherwise the error for the
/// last entry that was tried.
pub(super) fn resolve(file: &CStr, environment: &Environment, cwd: Option<&CStr>) -> io::Result<CString> {
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
            Ok(()) => return Ok(candidate),
            Err(libc::EACCES) => denied = true,
            Err(errno) if goes_on(errno) => last = errno,
            Err(errno) => return Err(io::Error::from_raw_os_error(errno)),
        }
    }
    Err(io::Error::from_raw_os_error(if denied { libc::EACCES } else { last }))
}

/// Whether the search continues after a candidate failed with this error, as in `execvp(3)`.
pub(super) fn goes_on(errno: i32) -> bool {
    matches!(errno, libc::ENOENT | libc::ESTALE | libc::ENOTDIR | libc::ENODEV | libc::ETIMEDOUT)
}

/// The paths to try for `file`: `file` itself if it contains a slash, otherwise one for each entry of `PATH`.
pub(super) fn candidates(file: &CStr, environment: &Environment) -> impl Iterator<Item = CString> {
    let name = file.to_bytes();
    let is_path = name.contains(&b'/');
    let path = if is_path { &b""[..] } else { environment.get(b"PATH").unwrap_or(DEFAULT_PATH) };
    path.split(|byte| *byte == b':').filter(|directory| directory.len() < libc::PATH_MAX as usize).filter_map(
        move |directory| {
            // An empty entry means the working directory.
            let path = if directory.is_empty() { name.to_vec() } else { [directory, b"/", name].concat() };
            CString::new(path).ok()
        },
    )
}

/// Checks whether an exec of `path` in `cwd` would succeed.
fn check(path: &CStr, cwd: Option<&CStr>) -> io::Result<()> {
    match cwd {
        Some(cwd) if !path.to_bytes().starts_with(b"/") => {
            check_file(&CString::new([cwd.to_bytes(), b"/", path.to_bytes()].concat())?)
        }
        _ => check_file(path),
    }
}

fn check_file(path: &CStr) -> io::Result<()> {
    type Identity = (libc::dev_t, libc::ino_t, i64, i64);
    thread_local! {
        static RUNNABLE: RefCell<HashSet<Identity>> = RefCell::default();
    }
    let stat = sys::check_executable(path)?;
    let identity = (stat.st_dev, stat.st_ino, stat.st_ctime, stat.st_ctime_nsec);
    if RUNNABLE.with_borrow(|known| known.contains(&identity)) {
        return Ok(());
    }
    // If the file cannot be read, the exec will report what is wrong.
    let Ok(interpreter) = interpreter(path) else {
        return Ok(());
    };
    match interpreter {
        Some(interpreter) if interpreter.to_bytes().starts_with(b"/") => {
            sys::check_executable(&interpreter).map(drop)
        }
        // Relative to the child's working directory: the exec will report an error.
        Some(_) => Ok(()),
        None => {
            RUNNABLE.with_borrow_mut(|known| {
                if known.len() >= REMEMBERED {
                    known.clear();
                }
                known.insert(identity);
            });
            Ok(())
        }
    }
}

/// The interpreter in the first line of a script (`execve(2)`, «Interpreter scripts»).
fn interpreter(path: &CStr) -> io::Result<Option<CString>> {
    let mut head = [0; HEAD];
    let length = File::open(OsStr::from_bytes(path.to_bytes()))?.read(&mut head)?;
    let name = || {
        let line = head.get(..length)?.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
        line.split(|byte| matches!(byte, b' ' | b'\t' | 0)).find(|word| !word.is_empty())
    };
    Ok(name().and_then(|name| CString::new(name).ok()))
}
