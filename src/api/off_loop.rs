//! The promises: a process run to its end on a thread of tokio's pool, its launch included. JavaScript is entered once.

use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use napi::bindgen_prelude::{FnArgs, JsObjectValue, Object, Uint8Array};
use napi::{Env, Result, Unknown};
use napi_derive::napi;

use super::capture::{Limits, limits, to_object};
use super::runtime::{Listeners, Runtime, runtime};
use crate::background;
use crate::capture::{self, End, Finished};
use crate::launch::{Command, Stdio, Strings};
use crate::options::command::{self, Normalized};
use crate::reactor::{Callback, Key, Reactor, Source, Turn};
use crate::sys;

/// What came of a run, and how long it took, milliseconds.
struct Outcome {
    result: std::result::Result<Finished, i32>,
    duration: f64,
}

/// A run, until its outcome has been handed over.
pub(super) struct OffLoop {
    reactor: Rc<Reactor>,
    listeners: Rc<Listeners>,
    key: Cell<Option<Key>>,
    callback: RefCell<Option<Callback>>,
    outcome: Arc<Mutex<Option<Outcome>>>,
    /// Closed to cancel the run.
    cancel: RefCell<Option<OwnedFd>>,
}

impl OffLoop {
    fn finish(&self, env: &Env) -> Result<()> {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Outcome { result, duration }) = outcome else {
            return Ok(());
        };
        self.cancel.take();
        let Some(callback) = self.callback.take() else {
            return Ok(());
        };
        if let Some(key) = self.key.take() {
            self.reactor.remove(key);
            self.reactor.release();
        }
        let details = result.as_ref().ok().map(|finished| (finished.usage, finished.overflowed));
        let mut object = to_object(env, result)?;
        object.set_c_named_property(c"durationMs", duration)?;
        if let Some((usage, overflowed)) = details {
            object.set_c_named_property(c"userCPUTime", usage.user.as_micros() as f64)?;
            object.set_c_named_property(c"systemCPUTime", usage.system.as_micros() as f64)?;
            object.set_c_named_property(c"maxRSS", usage.max_rss as f64)?;
            object.set_c_named_property(c"overflowed", overflowed.map(|index| index as u32))?;
        }
        callback.call(&self.listeners.on_finish, FnArgs::from((object,)))
    }

    /// Kills the process, if it still runs.
    pub fn cancel(&self) {
        self.cancel.take();
    }
}

struct FinishSource(Rc<OffLoop>);

impl Source for FinishSource {
    fn ready(&self, env: &Env, _is_over: bool) {
        let _ = self.0.finish(env);
    }

    fn shut_down(&self) {
        self.0.callback.take();
        self.0.cancel();
    }
}

/// Runs the process of normalised options, whose properties these are, off the event loop. `handle.onfinish(result)` is
/// called at its end, with what `runSync` returns and `durationMs`, `userCPUTime`, `systemCPUTime` (microseconds),
/// `maxRSS` (kilobytes) and `overflowed`, the descriptor whose output was too long.
///
/// Without `input` the child reads the null device. Returns an id for `cancel`, or the negative errno of what is missing
/// for a run; nothing is called then.
#[napi]
#[allow(clippy::too_many_arguments, reason = "JavaScript reads properties faster than N-API does")]
pub fn run_off_loop(
    number: u32,
    env: &Env,
    handle: Object,
    file: Unknown,
    args: Unknown,
    env_pairs: Unknown,
    cwd: Unknown,
    uid: Unknown,
    gid: Unknown,
    detached: Unknown,
    input: Option<Uint8Array>,
    max_buffer: Unknown,
    timeout: Unknown,
    kill_signal: Option<i32>,
) -> Result<i64> {
    let runtime = runtime(number)?;
    let mut command = command::read(&Normalized { file, args, env_pairs, cwd, uid, gid, detached })?;
    // As it is now: this thread may change it before the other has looked.
    command.env.get_or_insert_with(|| {
        let mut strings = Strings::new();
        sys::for_each_env(|entry| strings.push(entry.to_bytes()));
        strings
    });
    let limits = limits(&max_buffer, &timeout, kill_signal)?;
    let input = input.map(|bytes| bytes.to_vec());
    let (cancelled, cancel) = match sys::status_pipe() {
        Ok(pipe) => pipe,
        Err(error) => return Ok(-i64::from(sys::errno(&error))),
    };
    let reactor = match runtime.reactor(env) {
        Ok(reactor) => reactor,
        Err(error) => return Ok(-i64::from(sys::errno(&error))),
    };
    let run = Rc::new(OffLoop {
        reactor,
        listeners: Rc::clone(&runtime.listeners),
        key: Cell::new(None),
        callback: RefCell::new(Some(Callback::new(env, &handle, "PROCESSWRAP")?)),
        outcome: Arc::default(),
        cancel: RefCell::new(Some(cancel)),
    });
    let (key, wake) = match run.reactor.add_thread(Turn::WithIo, Rc::new(FinishSource(Rc::clone(&run)))) {
        Ok(registered) => registered,
        Err(error) => return Ok(-i64::from(sys::errno(&error))),
    };
    run.key.set(Some(key));
    run.reactor.retain();
    let outcome = Arc::clone(&run.outcome);
    let queued = Instant::now();
    let work = move || {
        let begun = Instant::now();
        // The time begins to run with the call, not when a thread is free.
        let timeout = limits.timeout.map(|timeout| timeout.saturating_sub(queued.elapsed()));
        let result = if sys::is_readable(cancelled.as_fd()) {
            Err(libc::ECANCELED)
        } else {
            run_to_end(command, input, Limits { timeout, ..limits }, &cancelled)
        };
        let duration = begun.elapsed().as_secs_f64() * 1000.0;
        *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(Outcome { result, duration });
        wake();
    };
    if let Err(work) = background::spawn_blocking(work) {
        work();
    }
    Ok(runtime.keep(run))
}

fn run_to_end(
    command: Command,
    input: Option<Vec<u8>>,
    limits: Limits,
    cancelled: &OwnedFd,
) -> std::result::Result<Finished, i32> {
    let pair = || sys::stream_pair().map_err(|error| sys::errno(&error));
    let ((stdout, childs_stdout), (stderr, childs_stderr)) = (pair()?, pair()?);
    let mut ends = vec![End::None, End::Output(stdout), End::Output(stderr)];
    let mut stdio = vec![Stdio::Null, Stdio::Pipe(childs_stdout), Stdio::Pipe(childs_stderr)];
    if let (Some(input), [end, ..], [childs, ..]) = (&input, &mut ends[..], &mut stdio[..]) {
        let (stdin, childs_stdin) = pair()?;
        *end = End::Input(stdin, input);
        *childs = Stdio::Pipe(childs_stdin);
    }
    capture::run(Command { stdio, ..command }, ends, limits, Some(cancelled.as_fd()))
}

impl Runtime {
    /// Keeps a run for as long as it can be cancelled. Gives its id.
    fn keep(&self, run: Rc<OffLoop>) -> i64 {
        let mut runs = self.runs.borrow_mut();
        runs.retain(|_, run| run.key.get().is_some());
        let id = self.next_id();
        runs.insert(id, run);
        id
    }
}

/// Kills the process of a run, if it still runs.
#[napi]
pub fn cancel(number: u32, id: i64) -> Result<()> {
    let run = runtime(number)?.runs.borrow_mut().remove(&id);
    if let Some(run) = run {
        run.cancel();
    }
    Ok(())
}
