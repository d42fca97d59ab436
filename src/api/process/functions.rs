//! What JavaScript calls for one process.

use std::os::fd::IntoRawFd;
use std::rc::Rc;

use napi::bindgen_prelude::{Buffer, Function, Object};
use napi::{Env, JsString, Result, Unknown};
use napi_derive::napi;

use super::super::runtime::{Id, runtime};
use super::{Child, Failure};
use crate::options::command::{self, Normalized};
use crate::options::stdio::Entry;
use crate::sys;

/// What JavaScript has of one of the child's descriptors.
#[derive(Clone, Copy)]
#[repr(i32)]
enum End {
    None = 0,
    Pipe = 1,
    Stream = 2,
}

fn child(number: u32, id: Id) -> Option<Rc<Child>> {
    runtime(number).ok()?.child(id)
}

/// Starts the process of `options`, normalised, whose properties follow. `started()` is called between the
/// checks and the launch, the functions given to `open` later on `handle`.
///
/// Returns: the pid, or the negative errno of what failed, and then the pipes are at their end-of-file; an
/// id, to be given to `release` at last; and what there is of each of the child's descriptors: 0 nothing, 1
/// the other end of a pipe, 2 a stream that must stop reading.
///
/// Throws what `ChildProcess.prototype.spawn` throws.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "JavaScript reads properties faster than N-API does")]
pub fn launch(
    number: u32,
    env: &Env,
    handle: Object,
    options: Unknown,
    stdio: Unknown,
    serialization: Unknown,
    file: Unknown,
    args: Unknown,
    env_pairs: Unknown,
    cwd: Unknown,
    uid: Unknown,
    gid: Unknown,
    detached: Unknown,
    started: Option<Function<(), Unknown>>,
) -> Result<Vec<i64>> {
    let runtime = runtime(number)?;
    let context = runtime.context(env)?;
    context.check_object(&options, "options")?;
    let options = Normalized { file, args, env_pairs, cwd, uid, gid, detached };
    let (command, entries) = command::request(&context, stdio, &serialization, &options)?;
    if let Some(started) = started {
        started.call(())?;
    }
    let id = runtime.next_id();
    let status = match runtime.reactor(env) {
        Ok(reactor) => {
            let child = Child::new(&runtime.listeners, &reactor);
            let started = child.start(env, command, &entries, &handle);
            runtime.children.borrow_mut().insert(id, child);
            match started {
                Ok(pid) => pid,
                Err(Failure::System(errno)) => -errno,
                Err(Failure::Node(error)) => return Err(error),
            }
        }
        Err(error) => -sys::errno(&error),
    };
    let ends = entries.iter().map(|entry| end_of(entry) as Id);
    Ok([Id::from(status), id].into_iter().chain(ends).collect())
}

/// Whether the exec is known to have succeeded. If it isn't known yet, `onSpawn` will be called when it is.
#[napi(catch_unwind)]
pub fn await_exec(number: u32, id: Id) -> bool {
    child(number, id).is_some_and(|child| child.await_exec())
}

/// Calls `onSpawn` now if it is due.
#[napi(catch_unwind)]
pub fn poll_exec(number: u32, id: Id) {
    if let Some(child) = child(number, id) {
        child.poll_exec();
    }
}

/// Hands over the parent's end of the child's descriptor `index`, to be closed by the caller; -1 where there
/// is none.
#[napi(catch_unwind)]
pub fn take_end(number: u32, id: Id, index: u32) -> i32 {
    child(number, id)
        .and_then(|child| child.take_end_for_stream(index as usize))
        .map_or(-1, IntoRawFd::into_raw_fd)
}

/// Gathers an output, at most `limit` bytes, instead of leaving it to a stream.
///
/// Returns 0, or the negative errno of why it cannot be watched; its pipe is closed then.
#[napi(catch_unwind)]
pub fn collect(number: u32, id: Id, index: u32, limit: f64) -> i32 {
    // Not a number, as with a comparison in JavaScript, is no limit.
    let limit = if limit.is_nan() { u64::MAX } else { limit as u64 };
    let collected = child(number, id).map_or(Ok(()), |child| child.collect(index, limit));
    collected.map_or_else(|error| -sys::errno(&error), |()| 0)
}

/// Whether an output that is gathered will bring more.
#[napi(catch_unwind)]
pub fn is_collecting(number: u32, id: Id, index: u32) -> bool {
    child(number, id).is_some_and(|child| child.is_collecting(index))
}

/// Stops gathering; what came is kept.
#[napi(catch_unwind)]
pub fn close_outputs(number: u32, id: Id) {
    if let Some(child) = child(number, id) {
        child.close_outputs();
    }
}

/// What an output has gathered. Its pipe, if not at its end, can be had with `takeEnd` again.
#[napi(catch_unwind)]
pub fn take_output(number: u32, id: Id, index: u32) -> Buffer {
    child(number, id)
        .and_then(|child| child.take_output(index))
        .map(|gathered| gathered.bytes)
        .unwrap_or_default()
        .into()
}

/// The same as text, from UTF-8.
#[napi(catch_unwind)]
pub fn take_text<'env>(env: &'env Env, number: u32, id: Id, index: u32) -> Result<JsString<'env>> {
    let gathered = child(number, id).and_then(|child| child.take_output(index)).unwrap_or_default();
    // Most output is ASCII, which the engine takes over faster than UTF-8.
    if gathered.bytes.is_ascii() {
        return env.create_string_latin1(gathered.bytes);
    }
    env.create_string(String::from_utf8_lossy(&gathered.bytes))
}

/// How many bytes an output had before its last read.
#[napi(catch_unwind)]
pub fn before_last_read(number: u32, id: Id, index: u32) -> u32 {
    child(number, id).map_or(0, |child| u32::try_from(child.before_last_read(index)).unwrap_or(u32::MAX))
}

/// Closes the ends that no stream has taken; forgets the process if it has ended.
#[napi(catch_unwind)]
pub fn release(number: u32, id: Id) -> Result<()> {
    let runtime = runtime(number)?;
    if let Some(child) = runtime.child(id) {
        child.close_ends();
        if child.is_done() {
            runtime.children.borrow_mut().remove(&id);
        }
    }
    Ok(())
}

/// Sends a signal. Returns 0 or a negative errno (`kill(2)`).
#[napi(catch_unwind)]
pub fn kill(number: u32, id: Id, signal: i32) -> i32 {
    match child(number, id).map(|child| child.kill(signal)) {
        Some(Ok(())) => 0,
        Some(Err(error)) => -sys::errno(&error),
        None => -libc::ESRCH,
    }
}

/// Whether the event loop waits for the process; it does from the start.
#[napi(catch_unwind)]
pub fn set_referenced(number: u32, id: Id, referenced: bool) {
    if let Some(child) = child(number, id) {
        child.set_referenced(referenced);
    }
}

/// Whether the event loop waits for the process.
#[napi(catch_unwind)]
pub fn has_ref(number: u32, id: Id) -> bool {
    child(number, id).is_some_and(|child| child.has_ref())
}

fn end_of(entry: &Entry) -> End {
    match entry {
        Entry::Pipe => End::Pipe,
        Entry::Stream(_) => End::Stream,
        Entry::Ignore | Entry::Inherit(_) | Entry::Channel => End::None,
    }
}
