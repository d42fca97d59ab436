//! `class Process`: what JavaScript has of a process.

use std::cell::RefCell;
use std::os::fd::IntoRawFd;
use std::rc::Rc;

use napi::bindgen_prelude::{Buffer, ClassInstance, FromNapiValue, Function, Unknown};
use napi::{Env, JsString, Result};
use napi_derive::napi;

use super::super::runtime;
use super::Child;
use crate::options::{Context, signal};
use crate::sys;

/// A process. `spawn`, `execFile` and their kin make them.
///
/// ```ts
/// /** What those give it. */
/// export interface Process {
///   /** The process is running, or was. */
///   readonly pid?: number;
///   /** Nothing was started, for this reason; negative. */
///   readonly errno?: number;
///   readonly spawnfile: string;
///   readonly spawnargs: string[];
///   /** Which of the child's descriptors are pipes. */
///   readonly pipes: boolean[];
///   /** The streams of this process that the child reads or writes. */
///   readonly borrowed?: import('node:stream').Stream[];
///   /** Our end of its channel. */
///   readonly channel?: {
///     fd: RawFd;
///     secret?: string;
///     serialization?: 'json' | 'advanced';
///     busyPoll?: number;
///     maxMessageSize?: number;
///   };
///   readonly timeout?: number;
///   readonly signal?: AbortSignal;
///   readonly killSignal?: number;
///   /** What is to become of the outputs of `execFile` and `exec`. */
///   readonly execution?: Execution;
/// }
/// export interface Execution {
///   file: string;
///   args: string[];
///   callback: ((error: Error | null, stdout: string | Buffer, stderr: string | Buffer) => void) | null | undefined;
///   /** Undefined: they are to be bytes. */
///   encoding?: BufferEncoding;
///   maxBuffer: number;
///   timeout: number;
///   killSignal?: number;
/// }
/// ```
#[derive(Default)]
#[napi]
pub struct Process {
    child: RefCell<Option<Rc<Child>>>,
}

impl Process {
    /// An object of the class with `child` behind it.
    pub(in crate::api) fn wrap(env: &Env, child: Option<Rc<Child>>) -> Result<ClassInstance<'_, Self>> {
        let class = runtime::of(env)?.process_class(env)?;
        let class = Function::<(), Unknown>::from_unknown(class)?;
        let instance = ClassInstance::<Self>::from_unknown(class.new_instance(())?)?;
        instance.child.replace(child);
        Ok(instance)
    }

    fn child(&self) -> Option<Rc<Child>> {
        self.child.borrow().clone()
    }
}

#[napi]
impl Process {
    /// One that has not been started.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a signal. Returns 0 or a negative errno (`kill(2)`).
    #[napi(catch_unwind)]
    pub fn kill(&self, signal: i32) -> i32 {
        match self.child().map(|child| child.kill(signal)) {
            Some(Ok(())) => 0,
            Some(Err(error)) => -sys::errno(&error),
            None => -libc::ESRCH,
        }
    }

    /// Makes the event loop wait for the process; it does from the start.
    #[napi(js_name = "ref", catch_unwind)]
    pub fn reference(&self) {
        if let Some(child) = self.child() {
            child.set_referenced(true);
        }
    }

    /// Lets the event loop end before the process.
    #[napi(js_name = "unref", catch_unwind)]
    pub fn unreference(&self) {
        if let Some(child) = self.child() {
            child.set_referenced(false);
        }
    }

    /// Whether the event loop waits for the process.
    #[napi(catch_unwind)]
    pub fn has_ref(&self) -> bool {
        self.child().is_some_and(|child| child.has_ref())
    }

    /// Hands over this process's end of the child's descriptor `index`, to be closed by the caller; -1 where there
    /// is none.
    #[napi(catch_unwind)]
    pub fn take_pipe(&self, index: u32) -> i32 {
        self.child()
            .and_then(|child| child.take_end_for_stream(index as usize))
            .map_or(-1, IntoRawFd::into_raw_fd)
    }

    /// Closes the pipes that nobody has taken.
    #[napi(catch_unwind)]
    pub fn close_pipes(&self) {
        if let Some(child) = self.child() {
            child.close_ends();
        }
    }

    /// Whether the exec is known to have succeeded. If it isn't known yet, `onspawn` will be called when it is.
    #[napi(catch_unwind)]
    pub fn await_exec(&self) -> bool {
        self.child().is_some_and(|child| child.await_exec())
    }

    /// Calls `onspawn` now if it is due.
    #[napi(catch_unwind)]
    pub fn poll_exec(&self) {
        if let Some(child) = self.child() {
            child.poll_exec();
        }
    }

    /// Gathers an output, at most `limit` bytes, instead of leaving it to a stream.
    ///
    /// Returns 0, or the negative errno of why it cannot be watched; its pipe is closed then.
    #[napi(catch_unwind)]
    pub fn collect(&self, index: u32, limit: f64) -> i32 {
        // Not a number, as with a comparison in JavaScript, is no limit.
        let limit = if limit.is_nan() { u64::MAX } else { limit as u64 };
        let collected = self.child().map_or(Ok(()), |child| child.collect(index, limit));
        collected.map_or_else(|error| -sys::errno(&error), |()| 0)
    }

    /// Whether an output that is gathered will bring more.
    #[napi(catch_unwind)]
    pub fn is_collecting(&self, index: u32) -> bool {
        self.child().is_some_and(|child| child.is_collecting(index))
    }

    /// Stops gathering; what came is kept.
    #[napi(catch_unwind)]
    pub fn close_outputs(&self) {
        if let Some(child) = self.child() {
            child.close_outputs();
        }
    }

    /// What an output has gathered. Its pipe, if not at its end, can be had with `takePipe` again.
    #[napi(catch_unwind)]
    pub fn take_output(&self, index: u32) -> Buffer {
        let output = self.child().and_then(|child| child.take_output(index));
        output.map(|gathered| gathered.bytes).unwrap_or_default().into()
    }

    /// The same as text, from UTF-8.
    #[napi(catch_unwind)]
    pub fn take_text<'env>(&self, env: &'env Env, index: u32) -> Result<JsString<'env>> {
        let gathered = self.child().and_then(|child| child.take_output(index)).unwrap_or_default();
        // Most output is ASCII, which the engine takes over faster than UTF-8.
        if gathered.bytes.is_ascii() {
            return env.create_string_latin1(gathered.bytes);
        }
        env.create_string(String::from_utf8_lossy(&gathered.bytes))
    }

    /// How many bytes an output had before its last read.
    #[napi(catch_unwind)]
    pub fn before_last_read(&self, index: u32) -> u32 {
        self.child().map_or(0, |child| u32::try_from(child.before_last_read(index)).unwrap_or(u32::MAX))
    }
}

/// The number of a signal given by name or number. Throws `ERR_UNKNOWN_SIGNAL`.
#[napi(catch_unwind)]
pub fn signal_number(env: &Env, signal: Unknown, host: Option<napi::bindgen_prelude::Object>) -> Result<i32> {
    signal::from_value(&Context::of(env, host)?, &signal)
}
