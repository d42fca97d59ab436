//! `class Process`: what JavaScript has of a process.

use std::cell::RefCell;
use std::ffi::CStr;
use std::os::fd::IntoRawFd;
use std::rc::Rc;

use napi::bindgen_prelude::{External, JsValue, Object, Unknown};
use napi::{Env, Result};
use napi_derive::napi;

use super::super::runtime;
use super::{Child, End, Execution, Plan};
use crate::engine::{self, Answer, Method, MethodCall};
use crate::options::{Context, option, signal};
use crate::sys;

/// A process. `spawn`, `execFile` and their kin make them, or of the object of the class that they are given.
///
/// ```ts
/// /** A process, started by `spawn`, `execFile` and the like. Before that its methods do nothing. */
/// export class Process {
///   /** The process is running, or was. */
///   readonly pid?: number;
///   /** Nothing was started, for this reason; negative. */
///   readonly errno?: number;
///   readonly spawnfile?: string;
///   readonly spawnargs?: string[];
///   /** Which of the child's descriptors are pipes. */
///   readonly pipes?: boolean[];
///   /** The streams of this process that the child reads or writes. */
///   readonly borrowed?: import('node:stream').Stream[];
///   readonly channel?: Channel;
///   readonly timeout?: number;
///   readonly signal?: AbortSignal;
///   readonly killSignal?: number;
///   /** Whether the exec is known to have succeeded. If it isn't known yet, `onspawn` will be called when it is. */
///   awaitExec(): boolean;
///   /** Closes the pipes that nobody has taken. */
///   closePipes(): void;
///   /** A stream of an output has brought more than `maxBuffer`, which ends the process. */
///   cutOutput(index: number): void;
///   /** Ends the run of `execFile`: returns its callback and the arguments for it. */
///   finish(end: { error?: unknown; code?: unknown; signal?: unknown; stdout?: unknown; stderr?: unknown }): any[];
///   /** Whether the event loop waits for the process. */
///   hasRef(): boolean;
///   /** Sends a signal. Returns 0 or a negative errno (`kill(2)`). */
///   kill(signal: number): number;
///   /** Calls `onspawn` now if it is due. */
///   pollExec(): void;
///   /** Makes the event loop wait for the process; it does from the start. */
///   ref(): void;
///   /** The time that it used in user mode and in the kernel, microseconds, and its largest resident set, kilobytes. */
///   resourceUsage(): [user: number, system: number, maxRss: number] | undefined;
///   /** The process is no longer killed when its timeout is over. */
///   stopTimer(): void;
///   /** Leaves an output that is collected to a stream: what it has brought so far, and the settings of the call. */
///   takeOutput(index: number): { begun: Buffer; encoding?: BufferEncoding; maxBuffer: number } | undefined;
///   /** Hands over this process's end of the child's descriptor `index`, to be closed by the caller; -1 if there is none. */
///   takePipe(index: number): number;
///   /** Lets the event loop end before the process. */
///   unref(): void;
/// }
/// /** What `spawn` and the like return: for a given Process its pid or negative errno, file, arguments and pipes. */
/// export type Started = Process | [status: number, file: string, args: string[], pipes: boolean[]];
/// ```
#[derive(Default)]
pub struct Process {
    child: RefCell<Option<Rc<Child>>>,
    execution: RefCell<Option<Rc<Execution>>>,
}

const METHODS: [Method<Process>; 13] = [
    Method { name: c"awaitExec", body: Process::await_exec },
    Method { name: c"closePipes", body: Process::close_pipes },
    Method { name: c"cutOutput", body: Process::cut_output },
    Method { name: c"finish", body: Process::finish },
    Method { name: c"hasRef", body: Process::has_ref },
    Method { name: c"kill", body: Process::kill },
    Method { name: c"pollExec", body: Process::poll_exec },
    Method { name: c"ref", body: Process::reference },
    Method { name: c"resourceUsage", body: Process::resource_usage },
    Method { name: c"stopTimer", body: Process::stop_timer },
    Method { name: c"takeOutput", body: Process::take_output },
    Method { name: c"takePipe", body: Process::take_pipe },
    Method { name: c"unref", body: Process::unreference },
];

/// The class.
pub(in crate::api) fn class(env: &Env) -> Result<Unknown<'_>> {
    static ALL: [Method<Process>; METHODS.len()] = METHODS;
    engine::class(env, c"Process", &ALL)
}

/// An object of the class.
#[derive(Clone, Copy)]
pub(in crate::api) struct ProcessObject<'a> {
    env: &'a Env,
    pub object: Unknown<'a>,
    /// Whether it was made here: nothing of `lib/` is there.
    pub is_alone: bool,
    process: &'a Process,
}

impl<'a> ProcessObject<'a> {
    /// `events`, where they are one, or a new one.
    pub fn of(env: &'a Env, events: Option<Object<'a>>) -> Result<Self> {
        let class = runtime::of(env)?.process_class()?.get(env)?;
        if let Some(object) = events.map(|events| events.to_unknown())
            && engine::is_instance(env, &object, &class)?
        {
            let process = match engine::native(env, &object) {
                Some(process) => process,
                None => engine::wrap(env, &object, Process::default())?,
            };
            return Ok(Self { env, object, is_alone: false, process });
        }
        let object = engine::construct(env, &class, [])?;
        let process = engine::wrap(env, &object, Process::default())?;
        Ok(Self { env, object, is_alone: true, process })
    }

    /// Sets a property.
    pub fn set(&self, name: &CStr, value: &Unknown) -> Result<()> {
        engine::set_property(self.env, &self.object, name, value)
    }

    pub fn set_child(&self, child: Option<Rc<Child>>) {
        self.process.child.replace(child);
    }

    pub fn child(&self) -> Option<Rc<Child>> {
        self.process.child()
    }

    /// Does with the process what is planned.
    pub fn follow(&self, context: &Context, plan: &Plan) -> Result<()> {
        self.process.execution.replace(plan.execution.clone());
        self.child().map_or(Ok(()), |child| child.follow(context, plan))
    }
}

fn index(env: &Env, call: &MethodCall) -> Result<usize> {
    engine::to_f64(env, &call.arguments[0]).map(|index| index as usize)
}

impl Process {
    fn child(&self) -> Option<Rc<Child>> {
        self.child.borrow().clone()
    }

    fn execution(&self) -> Option<Rc<Execution>> {
        self.execution.borrow().clone()
    }

    /// `kill(signal: number)` sends a signal. Returns 0 or a negative errno (`kill(2)`).
    fn kill<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let signal = engine::to_f64(env, &call.arguments[0])? as i32;
        let errno = match self.child().map(|child| child.kill(signal)) {
            Some(Ok(())) => 0,
            Some(Err(error)) => -sys::errno(&error),
            None => -libc::ESRCH,
        };
        engine::number(env, errno.into()).map(Some)
    }

    /// `ref()` makes the event loop wait for the process; it does from the start.
    fn reference<'a>(&self, _env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.with_child(|child| child.set_referenced(true))
    }

    /// `unref()` lets the event loop end before the process.
    fn unreference<'a>(&self, _env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.with_child(|child| child.set_referenced(false))
    }

    fn with_child<'a>(&self, body: impl FnOnce(&Rc<Child>)) -> Answer<'a> {
        if let Some(child) = self.child() {
            body(&child);
        }
        Ok(None)
    }

    /// `hasRef()`: whether the event loop waits for the process.
    fn has_ref<'a>(&self, env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        engine::boolean(env, self.child().is_some_and(|child| child.has_ref())).map(Some)
    }

    /// `takePipe(index: number)` hands over this process's end of the child's descriptor `index`, to be closed by the caller; -1 where
    /// there is none.
    fn take_pipe<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let index = index(env, call)?;
        let fd = self.child().and_then(|child| child.take_end_for_stream(index));
        engine::number(env, fd.map_or(-1, IntoRawFd::into_raw_fd).into()).map(Some)
    }

    /// `closePipes()` closes the pipes that nobody has taken.
    fn close_pipes<'a>(&self, _env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.with_child(|child| child.close_ends())
    }

    /// `awaitExec()`: whether the exec is known to have succeeded. If it isn't known yet, `onspawn` will be called when it is.
    fn await_exec<'a>(&self, env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        engine::boolean(env, self.child().is_some_and(|child| child.await_exec())).map(Some)
    }

    /// `pollExec()` calls `onspawn` now if it is due.
    fn poll_exec<'a>(&self, _env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.with_child(|child| {
            child.poll_exec();
        })
    }

    /// `resourceUsage()`: what it used (`getrusage(2)`); undefined until it has ended.
    fn resource_usage<'a>(&self, env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        let Some(usage) = self.child().and_then(|child| child.usage()) else { return Ok(None) };
        let numbers = [usage.user.as_micros() as f64, usage.system.as_micros() as f64, usage.max_rss as f64];
        let numbers = numbers.map(|number| engine::number(env, number));
        engine::array(env, &numbers.into_iter().collect::<Result<Vec<_>>>()?).map(Some)
    }

    /// `stopTimer()`: it is not killed any more when its time is over.
    fn stop_timer<'a>(&self, _env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.with_child(|child| {
            child.stop_timer();
            child.let_go();
        })
    }

    /// `takeOutput(index: number)` leaves an output that is gathered to a stream. Gives what it has brought so far, `begun`, and how it is
    /// to go on: `encoding` and `maxBuffer`. Its pipe, if not at its end, can be had with `takePipe`.
    fn take_output<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let Some(execution) = self.execution() else { return Ok(None) };
        let index = index(env, call)?;
        let begun = self.child().map(|child| child.take_output(&execution, index)).unwrap_or_default();
        execution.describe(&Context::new(env, None), begun).map(Some)
    }

    /// `cutOutput(index: number)`: a stream of an output has brought more than `maxBuffer`, which ends the process.
    fn cut_output<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let (Some(child), Some(execution)) = (self.child(), self.execution()) else { return Ok(None) };
        let context = Context::of(env, Some(call.this.coerce_to_object()?));
        child.cut_for_length(&context, &execution, index(env, call)?).map(|()| None)
    }

    /// `finish(end)` ends the run of `execFile`: gives its callback, and what that is to be called with. `end` has `error`, what has gone
    /// wrong, if that is not known here; `code` and `signal`, as of the process; `stdout` and `stderr`, what streams have brought.
    fn finish<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let Some(execution) = self.execution() else { return Ok(None) };
        let end = call.arguments[0].coerce_to_object()?;
        let read = |name| option(&end, name);
        let heard = [read(c"stdout")?, read(c"stderr")?];
        let end = End { error: read(c"error")?, code: read(c"code")?, signal: read(c"signal")?, heard };
        let context = Context::new(env, None);
        let outcome = match self.child() {
            Some(child) => {
                let outcome = child.finish(&context, &execution, &end);
                child.let_go();
                outcome
            }
            None => execution.finish(&context, &end),
        };
        engine::array(env, &outcome?).map(Some)
    }
}

/// Does with `process` what `normalize` has planned.
///
/// ```ts
/// /** What `normalize` has planned; for `follow`. */
/// export type Plan = object;
/// ```
#[napi(catch_unwind)]
pub fn follow(env: &Env, process: Object, #[napi(ts_arg_type = "Plan")] plan: &External<Plan>) -> Result<()> {
    ProcessObject::of(env, Some(process))?.follow(&Context::of(env, Some(process)), plan)
}

/// The number of a signal given by name or number. Throws `ERR_UNKNOWN_SIGNAL`.
#[napi(catch_unwind)]
pub fn signal_number(env: &Env, signal: Unknown, host: Option<Object>) -> Result<i32> {
    signal::from_value(&Context::of(env, host), &signal)
}
