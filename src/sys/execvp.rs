//! How `execvp(3)` of this C library differs from others'.

use libc::c_int;

const IS_MUSL: bool = cfg!(target_env = "musl");

/// Where it looks when the environment has no `PATH`.
pub const DEFAULT_PATH: &[u8] = if IS_MUSL { b"/usr/local/bin:/bin:/usr/bin" } else { b"/bin:/usr/bin" };

/// Whether it hands a file that the kernel does not know how to run (`ENOEXEC`) to the shell.
pub const HAS_SHELL: bool = !IS_MUSL;

/// Whether its search goes on after this error of one candidate; it does so after `EACCES`, too.
#[must_use]
pub fn search_goes_on(errno: c_int) -> bool {
    match errno {
        libc::ENOENT | libc::ENOTDIR => true,
        libc::ESTALE | libc::ENODEV | libc::ETIMEDOUT => !IS_MUSL,
        _ => false,
    }
}
