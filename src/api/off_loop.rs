//! The promises: a process run to its end on tokio, its launch included. JavaScript is entered once.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use napi::bindgen_prelude::{FnArgs, JsObjectValue, Object, Uint8Array};
use napi::{Env, Result, Unknown};
use napi_derive::napi;
use tokio::sync::oneshot;

use super::capture::{Limits, limits, to_object};
use super::runtime::{Listeners, Runtime, runtime};
use crate::background::{self, AtEnd};
use crate::capture::{self, Cut, End, Finished, NotRun};
use crate::launch::{Command, Stdio, Strings};
use crate::options::command::{self, Normalized};
use crate::reactor::{Callback, Key, Reactor, Source, Turn};
use crate::sys;

/// What came of a run, and how long it took, milliseconds.
struct Outcome {
    result: std::result::Result<Finished, NotRun>,
    duration: f64,
}

/// A run, until its outcome has been handed over.
pub(super) struct OffLoop {
    reactor: Rc<Reactor>,
    listeners: Rc<Listeners>,
    key: Cell<Option<Key>>,
    callback: RefCell<Option<Callback>>,
    outcome: Arc<Mutex<Option<Outcome>>>,
    /// Dropped to cancel the run.
    cancel: RefCell<Option<oneshot::Sender<()>>>,
}

impl OffLoop {
    fn finish(&self, env: &Env) -> Result<()> {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Without one the task has panicked.
        let failed = || Outcome { result: Err(NotRun::Failed(libc::EIO)), duration: 0.0 };
        let Outcome { result, duration } = outcome.unwrap_or_else(failed);
        self.cancel.take();
        let Some(callback) = self.callback.take() else {
            return Ok(());
        };
        if let Some(key) = self.key.take() {
            self.reactor.remove(key);
            self.reactor.release();
        }
        let (reason, too_long) = reason(&result);
        let usage = result.as_ref().ok().map(|finished| finished.usage);
        let mut object = to_object(env, result)?;
        object.set_c_named_property(c"durationMs", duration)?;
        object.set_c_named_property(c"reason", reason)?;
        object.set_c_named_property(c"tooLong", too_long.map(|index| index as u32))?;
        if let Some(usage) = usage {
            object.set_c_named_property(c"userCPUTime", usage.user.as_micros() as f64)?;
            object.set_c_named_property(c"systemCPUTime", usage.system.as_micros() as f64)?;
            object.set_c_named_property(c"maxRSS", usage.max_rss as f64)?;
        }
        callback.call(&self.listeners.on_finish, FnArgs::from((object,)))
    }

    /// Kills the process, if it still runs.
    pub fn cancel(&self) {
        self.cancel.take();
    }
}

/// Why a run has not simply ended, in a word: what ended it early, or the system call that failed. And the
/// output that was too long.
fn reason(result: &std::result::Result<Finished, NotRun>) -> (Option<&'static str>, Option<usize>) {
    let finished = match result {
        Ok(finished) => finished,
        Err(NotRun::Cancelled) => return (Some("cancelled"), None),
        Err(NotRun::Failed(_)) => return (Some("spawn"), None),
    };
    match (finished.cut, finished.ending, finished.failure) {
        (Some(Cut::TimedOut), ..) => (Some("timedOut"), None),
        (Some(Cut::Cancelled), ..) => (Some("cancelled"), None),
        (Some(Cut::TooLong(index)), ..) => (Some("tooLong"), Some(index)),
        (None, Err(_), _) => (Some("wait"), None),
        (None, Ok(_), failure) => (failure.map(|failure| failure.call), None),
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

/// Runs the process of normalised options, whose properties these are, off the event loop.
/// `handle.onfinish(result)` is called at its end, with what `runSync` returns and `durationMs`,
/// `userCPUTime`, `systemCPUTime` (microseconds), `maxRSS` (kilobytes), and `reason`, where it has not simply
/// ended: `timedOut`, `cancelled`, `tooLong` (and `tooLong` is the descriptor of that output), or the system
/// call that failed with the errno in `error`.
///
/// Without `input` the child reads the null device. Returns an id for `cancel`, or the negative errno of what
/// is missing for a run; nothing is called then.
#[napi(catch_unwind)]
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
    let outcome = Arc::default();
    let (cancel, cancelled) = oneshot::channel();
    let callback = Callback::new(env, &handle, "PROCESSWRAP")?;
    let (background, reactor) = match (background::runtime(), runtime.reactor(env)) {
        (Ok(background), Ok(reactor)) => (background, reactor),
        (Err(error), _) | (_, Err(error)) => return Ok(-i64::from(sys::errno(&error))),
    };
    let run = Rc::new(OffLoop {
        reactor,
        listeners: Rc::clone(&runtime.listeners),
        key: Cell::new(None),
        callback: RefCell::new(Some(callback)),
        outcome: Arc::clone(&outcome),
        cancel: RefCell::new(Some(cancel)),
    });
    let (key, wake) = match run.reactor.add_thread(Turn::WithIo, Rc::new(FinishSource(Rc::clone(&run)))) {
        Ok(registered) => registered,
        Err(error) => return Ok(-i64::from(sys::errno(&error))),
    };
    run.key.set(Some(key));
    run.reactor.retain();
    let called = Instant::now();
    let wake = AtEnd::new(wake);
    background.spawn(async move {
        let _wake = wake;
        let begun = Instant::now();
        // The time begins to run with the call, not when it is this task's turn.
        let timeout = limits.timeout.map(|timeout| timeout.saturating_sub(called.elapsed()));
        let result = run_to_end(command, input, Limits { timeout, ..limits }, cancelled).await;
        let duration = begun.elapsed().as_secs_f64() * 1000.0;
        *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(Outcome { result, duration });
    });
    Ok(runtime.keep(run))
}

async fn run_to_end(
    command: Command,
    input: Option<Vec<u8>>,
    limits: Limits,
    cancelled: oneshot::Receiver<()>,
) -> std::result::Result<Finished, NotRun> {
    let (ends, stdio) = make_ends(input).map_err(|error| NotRun::Failed(sys::errno(&error)))?;
    capture::run_in_background(Command { stdio, ..command }, ends, limits, cancelled).await
}

fn make_ends(input: Option<Vec<u8>>) -> io::Result<(Vec<End<'static>>, Vec<Stdio>)> {
    let (stdin, childs_stdin) = match input {
        Some(bytes) => {
            let (ours, childs) = sys::stream_pair()?;
            (End::Input(ours, bytes.into()), Stdio::Pipe(childs))
        }
        None => (End::None, Stdio::Null),
    };
    let (stdout, childs_stdout) = sys::stream_pair()?;
    let (stderr, childs_stderr) = sys::stream_pair()?;
    let ends = vec![stdin, End::Output(stdout), End::Output(stderr)];
    Ok((ends, vec![childs_stdin, Stdio::Pipe(childs_stdout), Stdio::Pipe(childs_stderr)]))
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
#[napi(catch_unwind)]
pub fn cancel(number: u32, id: i64) -> Result<()> {
    let run = runtime(number)?.runs.borrow_mut().remove(&id);
    if let Some(run) = run {
        run.cancel();
    }
    Ok(())
}
