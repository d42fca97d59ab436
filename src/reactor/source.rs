//! What is registered with a reactor.

use napi::Env;

/// Something that waits for a descriptor, or for a thread, on the loop.
pub trait Source {
    /// The descriptor may be ready. Called again, or for nothing, now and then: look before acting. `is_over`: nothing more
    /// will come than is there now.
    fn ready(&self, env: &Env, is_over: bool);
    /// Whether what comes after the I/O waits for that of the next turn of the loop, too.
    fn waits_a_turn(&self) -> bool {
        false
    }
    /// Acts if the descriptor is ready, and says whether it was.
    fn look(&self, _env: &Env) -> bool {
        false
    }
    /// The time that [`call_after`](super::Reactor::call_after) was given is over.
    fn elapsed(&self, _env: &Env) {}
    /// The environment is going away: let go of everything that belongs to it.
    fn shut_down(&self);
}

/// When in a turn of the loop a source is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Among the rest of the I/O.
    WithIo,
    /// After it: what a process wrote before its end is read before the end is told, as with libuv's own processes.
    AfterIo,
}
