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

/// Whether a file that begins like this is a program for this machine.
#[must_use]
pub fn is_program(head: &[u8]) -> bool {
    const MACHINE: u16 = if cfg!(target_arch = "aarch64") { libc::EM_AARCH64 } else { libc::EM_X86_64 };
    const KIND: [u8; 6] = [0x7f, b'E', b'L', b'F', libc::ELFCLASS64, libc::ELFDATA2LSB];
    const MACHINE_AT: usize = 18;
    let machine = head.get(MACHINE_AT..).and_then(<[u8]>::first_chunk);
    head.starts_with(&KIND) && machine.is_some_and(|machine| u16::from_le_bytes(*machine) == MACHINE)
}
