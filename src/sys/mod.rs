//! Raw system calls: one file a platform, each offering the same names, so that no other module asks where it
//! runs.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::*;

#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
pub use macos::*;

mod memory;
pub use memory::*;

mod signals;
pub use signals::*;

#[cfg(test)]
mod tests;
mod unix;
pub use unix::*;

mod watched;
pub use watched::*;

mod wait;
pub use wait::*;
