//! `spawnSync` and its kin: a process run to its end while JavaScript waits.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use napi::bindgen_prelude::{Buffer, Either, JsObjectValue, Null, Object, Uint8Array};
use napi::{Env, Result, Unknown};
use napi_derive::napi;

use super::channel::registry;
use super::runtime::runtime;
pub(super) use crate::capture::Limits;
use crate::capture::{self, Counted, Cut, End, Finished, NotRun};
use crate::launch::{Command, Stdio};
use crate::options::command::{self, Normalized};
use crate::options::stdio::{self, Entry};
use crate::options::{is_nullish, signal};
use crate::sys;

/// Runs the process of normalised options, whose properties these are, and waits for its end.
///
/// `input` is written to its standard input where that is a pipe. `maxBuffer`: bytes of one output, 0 for no
/// limit; `timeout`: milliseconds, 0 for none. Returns what `spawnSync` returns but for `stdout` and
/// `stderr`; its `error`, where there is one, is a negative errno.
///
/// Throws what `spawnSync` throws for `options.stdio`.
#[napi(catch_unwind)]
#[allow(clippy::too_many_arguments, reason = "JavaScript reads properties faster than N-API does")]
pub fn run_sync<'env>(
    number: u32,
    env: &'env Env,
    stdio: Unknown,
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
) -> Result<Object<'env>> {
    registry::flush_all();
    let context = runtime(number)?.context(env)?;
    let plan = stdio::plan_sync(&context, stdio)?;
    let command = command::read_sync(&Normalized { file, args, env_pairs, cwd, uid, gid, detached })?;
    let limits = Limits { counted: Counted::Together, ..limits(&max_buffer, &timeout, kill_signal)? };
    let input = input.as_deref().unwrap_or_default();
    let result = make_ends(&plan, input)
        .map_err(|error| NotRun::Failed(sys::errno(&error)))
        .and_then(|(ends, stdio)| capture::run(Command { stdio, ..command }, ends, limits));
    to_object(env, result)
}

/// Validates `options.stdio` of the synchronous family. Throws what `spawnSync` throws.
#[napi(catch_unwind)]
pub fn check_stdio_sync(number: u32, env: &Env, stdio: Unknown) -> Result<()> {
    stdio::plan_sync(&runtime(number)?.context(env)?, stdio).map(drop)
}

fn make_ends<'a>(plan: &[(bool, Entry)], input: &'a [u8]) -> io::Result<(Vec<End<'a>>, Vec<Stdio>)> {
    let mut ends = vec![];
    let mut stdio = vec![];
    for (target, (is_read, entry)) in plan.iter().enumerate() {
        let (end, childs) = match command::without_pipe(target, *entry) {
            Some(stdio) => (End::None, stdio),
            None => {
                let (ours, childs): (OwnedFd, OwnedFd) = sys::stream_pair()?;
                (
                    if *is_read { End::Input(ours, input.into()) } else { End::Output(ours) },
                    Stdio::Pipe(childs),
                )
            }
        };
        ends.push(end);
        stdio.push(childs);
    }
    Ok((ends, stdio))
}

/// The negative errno that the synchronous family reports a failed run with.
fn errno(finished: &Finished) -> Option<i32> {
    let errno = match finished.cut {
        Some(Cut::TimedOut) => Some(libc::ETIMEDOUT),
        Some(Cut::TooLong(_)) => Some(libc::ENOBUFS),
        Some(Cut::Cancelled) => Some(libc::ECANCELED),
        None => finished.ending.err().or(finished.failure.map(|failure| failure.errno)),
    };
    errno.map(|errno| -errno)
}

/// What a run returns to JavaScript.
pub(super) fn to_object(env: &Env, result: std::result::Result<Finished, NotRun>) -> Result<Object<'_>> {
    let mut object = Object::new(env)?;
    match result {
        Ok(finished) => {
            if let Some(errno) = errno(&finished) {
                object.set_c_named_property(c"error", errno)?;
            }
            let exited = finished.ending.ok().filter(|exit| exit.signal == 0);
            let killed = finished.ending.ok().filter(|exit| exit.signal != 0);
            object.set_c_named_property(c"status", or_null(exited.map(|exit| exit.code)))?;
            // Real-time signals have no name in Node.
            let signal = killed.map(|exit| signal::name(exit.signal).unwrap_or_default());
            object.set_c_named_property(c"signal", or_null(signal))?;
            let output = |bytes: Option<Vec<u8>>| or_null(bytes.map(Buffer::from));
            let outputs: Vec<_> = finished.outputs.into_iter().map(output).collect();
            object.set_c_named_property(c"output", outputs)?;
            object.set_c_named_property(c"pid", finished.pid)?;
        }
        Err(not_run) => {
            if let NotRun::Failed(errno) = not_run {
                object.set_c_named_property(c"error", -errno)?;
            }
            object.set_c_named_property(c"status", Null)?;
            object.set_c_named_property(c"signal", Null)?;
            object.set_c_named_property(c"output", Null)?;
            object.set_c_named_property(c"pid", 0)?;
        }
    }
    Ok(object)
}

fn or_null<T>(value: Option<T>) -> Either<T, Null> {
    value.map_or(Either::B(Null), Either::A)
}

/// Options that have been checked; 0 is no limit.
pub(super) fn limits(max_buffer: &Unknown, timeout: &Unknown, kill_signal: Option<i32>) -> Result<Limits> {
    let (bytes, milliseconds) = (number(max_buffer)?, number(timeout)?);
    Ok(Limits {
        bytes: if bytes > 0.0 { bytes as u64 } else { u64::MAX },
        timeout: (milliseconds > 0.0).then(|| Duration::from_millis(milliseconds as u64)),
        counted: Counted::Each,
        kill_signal: kill_signal.unwrap_or(libc::SIGTERM),
    })
}

fn number(value: &Unknown) -> Result<f64> {
    if is_nullish(value)? { Ok(0.0) } else { napi::JsValue::coerce_to_number(value)?.get_double() }
}
