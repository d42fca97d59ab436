//! Whether files can be executed and directories entered.

use std::ffi::CStr;
use std::io;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::stat::stat;
use nix::unistd::{AccessFlags, access, faccessat};

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
        return Err(Errno::EACCES.into());
    }
    if stat.st_mode & libc::S_IXOTH == 0 {
        check_access(path)?;
    }
    Ok(stat)
}

/// `access(2)` for execution or search, by the effective ids.
fn check_access(path: &CStr) -> io::Result<()> {
    match faccessat(AT_FDCWD, path, AccessFlags::X_OK, AtFlags::AT_EACCESS) {
        // A sandbox refuses the call, not the file (`EACCES`): the older one looks with the real ids, which mostly are the same.
        Err(Errno::EPERM) => Ok(access(path, AccessFlags::X_OK)?),
        checked => Ok(checked?),
    }
}

/// Whether `chdir(2)` to `path` would succeed.
///
/// # Errors
/// The errno that `chdir(2)` would give.
pub fn check_directory(path: &CStr) -> io::Result<()> {
    if stat(path)?.st_mode & libc::S_IFMT != libc::S_IFDIR {
        return Err(Errno::ENOTDIR.into());
    }
    check_access(path)
}
