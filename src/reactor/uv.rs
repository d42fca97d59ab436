//! The libuv functions that the reactor needs, looked up in the running program (Node exports them), and the
//! reactor's four libuv handles: a `uv_poll_t` on the epoll set, a `uv_check_t` that runs after the I/O of an
//! iteration of the loop, a `uv_idle_t` that keeps the loop from sleeping while deferred sources are left, and a
//! `uv_timer_t` for timeouts. They live as long as their environment.

use std::ffi::c_void;
use std::io;
use std::os::fd::RawFd;
use std::ptr;
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;

use libc::c_int;
use libloading::os::unix::Library;
use napi::{Env, sys};

use super::Reactor;
use crate::engine;

type Loop = sys::uv_loop_s;
type Handle = c_void;
type PollCallback = extern "C" fn(*mut Handle, c_int, c_int);
type HandleCallback = extern "C" fn(*mut Handle);

/// Values of `uv_handle_type`, which are part of libuv's stable ABI.
const UV_CHECK: c_int = 2;
const UV_IDLE: c_int = 6;
const UV_POLL: c_int = 8;
const UV_TIMER: c_int = 13;
/// How many handles there are.
const HANDLES: usize = 4;
/// `UV_READABLE` of `uv_poll_event`.
const UV_READABLE: c_int = 1;

struct Functions {
    default_loop: extern "C" fn() -> *mut Loop,
    handle_size: extern "C" fn(c_int) -> usize,
    poll_init: extern "C" fn(*mut Loop, *mut Handle, c_int) -> c_int,
    poll_start: extern "C" fn(*mut Handle, c_int, PollCallback) -> c_int,
    check_init: extern "C" fn(*mut Loop, *mut Handle) -> c_int,
    check_start: extern "C" fn(*mut Handle, HandleCallback) -> c_int,
    check_stop: extern "C" fn(*mut Handle) -> c_int,
    idle_init: extern "C" fn(*mut Loop, *mut Handle) -> c_int,
    idle_start: extern "C" fn(*mut Handle, HandleCallback) -> c_int,
    idle_stop: extern "C" fn(*mut Handle) -> c_int,
    timer_init: extern "C" fn(*mut Loop, *mut Handle) -> c_int,
    timer_start: extern "C" fn(*mut Handle, HandleCallback, u64, u64) -> c_int,
    set_data: extern "C" fn(*mut Handle, *mut c_void),
    get_data: extern "C" fn(*const Handle) -> *mut c_void,
    reference: extern "C" fn(*mut Handle),
    unreference: extern "C" fn(*mut Handle),
    close: extern "C" fn(*mut Handle, HandleCallback),
}

/// The functions; `None` if the program has no libuv (Bun, Deno).
fn functions() -> Option<&'static Functions> {
    static FUNCTIONS: OnceLock<Option<Functions>> = OnceLock::new();
    FUNCTIONS
        .get_or_init(|| {
            let program = Library::this();
            // SAFETY: each symbol that exists is the libuv function of that name, which has the type of its field.
            unsafe {
                Some(Functions {
                    default_loop: *program.get(c"uv_default_loop").ok()?,
                    handle_size: *program.get(c"uv_handle_size").ok()?,
                    poll_init: *program.get(c"uv_poll_init").ok()?,
                    poll_start: *program.get(c"uv_poll_start").ok()?,
                    check_init: *program.get(c"uv_check_init").ok()?,
                    check_start: *program.get(c"uv_check_start").ok()?,
                    check_stop: *program.get(c"uv_check_stop").ok()?,
                    idle_init: *program.get(c"uv_idle_init").ok()?,
                    idle_start: *program.get(c"uv_idle_start").ok()?,
                    idle_stop: *program.get(c"uv_idle_stop").ok()?,
                    timer_init: *program.get(c"uv_timer_init").ok()?,
                    timer_start: *program.get(c"uv_timer_start").ok()?,
                    set_data: *program.get(c"uv_handle_set_data").ok()?,
                    get_data: *program.get(c"uv_handle_get_data").ok()?,
                    reference: *program.get(c"uv_ref").ok()?,
                    unreference: *program.get(c"uv_unref").ok()?,
                    close: *program.get(c"uv_close").ok()?,
                })
            }
        })
        .as_ref()
}

/// Whether `env` is that of the main thread, where Node runs libuv's default loop: each Worker has a loop of its own.
pub fn is_main(env: &Env) -> bool {
    functions().is_some_and(|uv| env.get_uv_event_loop().is_ok_and(|uv_loop| uv_loop == (uv.default_loop)()))
}

/// The handles. They are closed when the environment shuts down, and freed in libuv's close callbacks.
pub(super) struct Handles {
    uv: &'static Functions,
    poll: *mut Handle,
    check: *mut Handle,
    idle: *mut Handle,
    timer: *mut Handle,
    env: sys::napi_env,
}

impl Handles {
    /// Creates handles on the loop of `env`, to watch `fd`. They are not started yet.
    pub fn new(env: &Env, fd: RawFd) -> io::Result<Self> {
        let uv = functions().ok_or(io::ErrorKind::Unsupported)?;
        let uv_loop = env.get_uv_event_loop().map_err(unsupported)?;
        let poll = allocate(uv, UV_POLL);
        let status = (uv.poll_init)(uv_loop, poll, fd);
        if status != 0 {
            // SAFETY: its initialisation has failed, so libuv does not use it.
            unsafe { libc::free(poll) };
            return Err(io::Error::from_raw_os_error(-status));
        }
        let (check, idle, timer) = (allocate(uv, UV_CHECK), allocate(uv, UV_IDLE), allocate(uv, UV_TIMER));
        // These cannot fail.
        (uv.check_init)(uv_loop, check);
        (uv.idle_init)(uv_loop, idle);
        (uv.timer_init)(uv_loop, timer);
        Ok(Self { uv, poll, check, idle, timer, env: env.raw() })
    }

    /// Starts watching, and registers a hook that closes the handles when the environment shuts down. From here on
    /// the handles own a reference to the reactor.
    pub fn start(&self, reactor: Rc<Reactor>) -> io::Result<()> {
        let reactor: *mut c_void = Rc::into_raw(reactor).cast_mut().cast();
        (self.uv.poll_start)(self.poll, UV_READABLE, on_readable);
        for handle in self.all() {
            (self.uv.set_data)(handle, reactor);
            // Only the idle handle keeps the loop alive by itself: deferred events must still be reported.
            if handle != self.idle {
                (self.uv.unreference)(handle);
            }
        }
        // SAFETY: the hook's argument is the reactor, which lives until the hook has closed the handles.
        let status = unsafe {
            sys::napi_add_async_cleanup_hook(self.env, Some(on_environment_end), reactor, ptr::null_mut())
        };
        napi::check_status!(status).map_err(unsupported)
    }

    /// Keeps the loop alive.
    pub fn reference(&self) {
        (self.uv.reference)(self.poll);
    }

    pub fn unreference(&self) {
        (self.uv.unreference)(self.poll);
    }

    /// Calls [`Reactor::dispatch_deferred`] after the I/O of this iteration of the loop, and of the next ones while
    /// it returns `true`.
    pub fn start_deferred(&self) {
        (self.uv.check_start)(self.check, on_check);
    }

    /// Keeps the loop from sleeping if deferred sources are left, and otherwise stops calling `dispatch_deferred`.
    pub fn continue_deferred(&self, is_more: bool) {
        if is_more {
            (self.uv.idle_start)(self.idle, on_idle);
        } else {
            (self.uv.idle_stop)(self.idle);
            (self.uv.check_stop)(self.check);
        }
    }

    /// Calls [`Reactor::call_elapsed`] once, after `time`. libuv counts from the start of the loop's iteration, so it
    /// may be early.
    pub fn start_timer(&self, time: Duration) {
        // Rounded up, because a call that is too early only restarts the timer.
        let milliseconds = time.as_micros().div_ceil(1000).try_into().unwrap_or(u64::MAX);
        (self.uv.timer_start)(self.timer, on_timer, milliseconds, 0);
    }

    fn all(&self) -> [*mut Handle; HANDLES] {
        [self.poll, self.check, self.idle, self.timer]
    }

    fn close(&self, closing: *mut Closing) {
        for handle in self.all() {
            (self.uv.set_data)(handle, closing.cast());
            (self.uv.close)(handle, closed);
        }
    }
}

fn unsupported(error: napi::Error) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, error.reason)
}

/// Allocates zeroed memory for a handle; [`closed`] frees it.
fn allocate(uv: &Functions, kind: c_int) -> *mut Handle {
    // SAFETY: plain memory of the size that libuv asks for. The allocator of the process does not return null.
    unsafe { libc::calloc(1, (uv.handle_size)(kind)) }
}

/// Runs `body` on the reactor of a handle that is not closing. Holds a reference meanwhile, because JavaScript may run.
fn with_reactor(handle: *mut Handle, body: impl FnOnce(&Reactor)) {
    let Some(uv) = functions() else { return };
    let reactor = (uv.get_data)(handle).cast_const().cast::<Reactor>();
    // SAFETY: the data is the Rc that `start` stored. Only `on_environment_end` takes it back, and then it closes the
    // handles, which get no further callback but `closed`.
    let reactor = unsafe {
        Rc::increment_strong_count(reactor);
        Rc::from_raw(reactor)
    };
    engine::contain(reactor.env, || body(&reactor));
}

extern "C" fn on_readable(handle: *mut Handle, _status: c_int, _events: c_int) {
    with_reactor(handle, Reactor::dispatch);
}

extern "C" fn on_check(handle: *mut Handle) {
    with_reactor(handle, |reactor| {
        let is_more = reactor.dispatch_deferred();
        reactor.handles.continue_deferred(is_more);
    });
}

/// The callback has nothing to do: its presence keeps the loop from sleeping.
extern "C" fn on_idle(_handle: *mut Handle) {}

extern "C" fn on_timer(handle: *mut Handle) {
    with_reactor(handle, Reactor::call_elapsed);
}

/// The state shared by the close callbacks. The last of them drops the reactor and reports to the hook that all are
/// closed.
struct Closing {
    reactor: Rc<Reactor>,
    hook: sys::napi_async_cleanup_hook_handle,
    left: usize,
}

unsafe extern "C" fn on_environment_end(hook: sys::napi_async_cleanup_hook_handle, reactor: *mut c_void) {
    // SAFETY: the Rc that `start` gave away, taken back once.
    let reactor = unsafe { Rc::from_raw(reactor.cast_const().cast::<Reactor>()) };
    engine::contain(reactor.env, || reactor.shut_down());
    let closing = Box::into_raw(Box::new(Closing { reactor: Rc::clone(&reactor), hook, left: HANDLES }));
    reactor.handles.close(closing);
}

extern "C" fn closed(handle: *mut Handle) {
    if let Some(uv) = functions() {
        let closing = (uv.get_data)(handle).cast::<Closing>();
        // SAFETY: the box that `on_environment_end` made, and a handle that libuv no longer uses. The epoll
        // descriptor is closed with the reactor, after all handles.
        unsafe {
            libc::free(handle);
            (*closing).left -= 1;
            if (*closing).left == 0 {
                let Closing { reactor, hook, .. } = *Box::from_raw(closing);
                // The environment is gone, so there is nobody to report a panic to.
                let _ = engine::caught(|| drop(reactor));
                sys::napi_remove_async_cleanup_hook(hook);
            }
        }
    }
}
