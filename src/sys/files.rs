//! Checks whether files can be executed and directories entered.

use std::ffi::CStr;
use std::io;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::stat::stat;
use nix::unistd::{AccessFlags, access, faccessat};

/// Checks whether `execve(2)` would let this process execute the file at `path`. For a file that everyone may execute,
/// one system call is enough; whether its mount is `noexec` is left to the exec.
///
/// # Errors
/// The errno that `execve(2)` would give: `EACCES` for anything but a regular file and without execute permission, and
/// the errors of path resolution.
pub fn check_executable(path: &CStr) -> io::Result<libc::stat> {
    let stat = stat(path)?;
    if stat.st_mode & libc::S_IFMT != libc::S_IFREG {
        return Err(Errno::EACCES.into());
    }
    if stat.st_mode & libc::S_IXOTH == 0 {
        check_access(path)?;
    }
    Ok(stat)
}

/// Checks execute or search permission with the effective ids.
fn check_access(path: &CStr) -> io::Result<()> {
    match faccessat(AT_FDCWD, path, AccessFlags::X_OK, AtFlags::AT_EACCESS) {
        // A sandbox refuses the call (a file would give `EACCES`). `access` uses the real ids, which are usually the
        // same.
        Err(Errno::EPERM) => Ok(access(path, AccessFlags::X_OK)?),
        checked => Ok(checked?),
    }
}

/// Checks whether `chdir(2)` to `path` would succeed.
///
/// # Errors
/// The errno that `chdir(2)` would give.
pub fn check_directory(path: &CStr) -> io::Result<()> {
    if stat(path)?.st_mode & libc::S_IFMT != libc::S_IFDIR {
        return Err(Errno::ENOTDIR.into());
    }
    check_access(path)
}
