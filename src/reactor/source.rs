//! The sources of a reactor.

use napi::Env;

/// Something that the reactor calls on the event loop: when a descriptor is ready, when a thread wakes it, or after a
/// time.
pub trait Source {
    /// The descriptor may be ready. This may be called when it is not, so the source must check. `is_over`: the other
    /// end has closed it, so nothing more will come than is there now.
    fn ready(&self, env: &Env, is_over: bool);
    /// Whether a source of [`Turn::AfterIo`] also waits for the I/O of the next iteration of the loop.
    fn waits_a_turn(&self) -> bool {
        false
    }
    /// Does the same as `ready` if the descriptor is ready. Returns whether it was.
    fn try_ready(&self, _env: &Env) -> bool {
        false
    }
    /// The time given to [`call_after`](super::Reactor::call_after) has elapsed.
    fn elapsed(&self, _env: &Env) {}
    /// The environment is shutting down: release everything that belongs to it.
    fn shut_down(&self);
}

/// When a source is called in an iteration of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// With the other I/O.
    WithIo,
    /// After the other I/O: so the output of a process is read before its exit is reported, as with libuv's own
    /// processes.
    AfterIo,
}
