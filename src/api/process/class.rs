//! The class `Process`, through which JavaScript controls a process.

use std::cell::RefCell;
use std::ffi::CStr;
use std::os::fd::IntoRawFd;
use std::rc::Rc;

use napi::bindgen_prelude::{External, JsValue, Object, Unknown};
use napi::{Env, Result};
use napi_derive::napi;

use super::super::exec;
use super::super::runtime;
use super::{Capture, Child, Plan};
use crate::engine::{self, Answer, Method, MethodCall};
use crate::options::normalize::Normalized;
use crate::options::stdio::STANDARD;
use crate::options::{Context, signal};
use crate::sys;

/// A process. `spawn`, `execFile` and the others create one, or complete the object of this class that they are given.
///
/// ```ts
/// /** A process, started by `spawn`, `execFile` and others. Before that its methods do nothing. */
/// export class Process {
///   /** The process id; undefined if nothing was started. */
///   readonly pid?: number;
///   /** The negative errno because of which nothing was started. */
///   readonly errno?: number;
///   readonly spawnfile?: string;
///   readonly spawnargs?: string[];
///   /** The child's descriptors, one character each: `p` for a pipe, `-` for anything else. */
///   readonly pipes?: string;
///   /** The streams of this process that the child reads or writes. */
///   readonly borrowed?: import('node:stream').Stream[];
///   readonly channel?: Channel;
///   readonly timeout?: number;
///   readonly signal?: AbortSignal;
///   readonly killSignal?: number;
///   /** With `lib/`: the call of `execFile`. */
///   readonly call?: Call;
///   /** Whether the exec is known to have succeeded. If it isn't known yet, `onspawn` will be called when it is. */
///   awaitExec(): boolean;
///   /**
///    * With the option `all` of `capture`: the parts of both outputs that have come so far, in order. Each part is two
///    * numbers, its descriptor and its length in bytes.
///    */
///   capturedParts(): number[];
///   /** Closes the pipes that `takePipe` has not returned. */
///   closePipes(): void;
///   /** JavaScript has read more than `maxBuffer` from an output: ends the process. */
///   cutOutput(index: number): void;
///   /**
///    * Ends the capture of `execFile`. Returns the arguments of its callback, and the command for `error.cmd`.
///    * `end`: how the process ended, what else went wrong, and what streams have brought of the outputs.
///    */
///   finish(
///     call: Call,
///     end: { error?: unknown; code?: unknown; signal?: unknown; stdout?: unknown; stderr?: unknown },
///   ): [error: any, stdout: unknown, stderr: unknown, command: string, all: unknown];
///   /** Whether the event loop waits for the process. */
///   hasRef(): boolean;
///   /** Sends a signal. Returns 0 or a negative errno (`kill(2)`). */
///   kill(signal: number): number;
///   /** Calls `onspawn` now if it is due. */
///   pollExec(): void;
///   /** Makes the event loop wait for the process; it does from the start. */
///   ref(): void;
///   /** The time used in user mode and in the kernel, microseconds, and the largest resident set, kilobytes. */
///   resourceUsage(): [user: number, system: number, maxRss: number] | undefined;
///   /**
///    * Ends the capture of an output. Returns what has been captured, and the settings of the call. `isLast`: the
///    * process has exited and nothing is captured any more, so that `onend` will not be called.
///    */
///   stopCapture(index: number): { begun: Buffer; encoding?: BufferEncoding; isLast: boolean; maxBuffer: number };
///   /** Cancels the timeout of the process. */
///   stopTimer(): void;
///   /** Our end of the child's descriptor `index`, which the caller has to close; -1 if there is none. */
///   takePipe(index: number): number;
///   /** Lets the event loop end before the process. */
///   unref(): void;
/// }
/// /**
///  * What `spawn` and others return: a new Process. For a given one, its pid and its pipes packed into a number: eight
///  * times the pid (or the negative errno, if nothing was started), plus 1 if the child's standard input is a pipe, plus
///  * 2 if its standard output is one, plus 4 if its standard error is one.
///  */
/// export type Started = Process | number;
/// /** One call of `execFile`: an array that begins with its callback. */
/// export type Call = [callback: unknown, ...unknown[]];
/// ```
#[derive(Default)]
pub struct Process {
    child: RefCell<Option<Rc<Child>>>,
    capture: RefCell<Option<Rc<Capture>>>,
}

static METHODS: [Method<Process>; 14] = [
    Method { name: c"awaitExec", body: Process::await_exec },
    Method { name: c"capturedParts", body: Process::captured_parts },
    Method { name: c"closePipes", body: Process::close_pipes },
    Method { name: c"cutOutput", body: Process::cut_output },
    Method { name: c"finish", body: Process::finish },
    Method { name: c"hasRef", body: Process::has_ref },
    Method { name: c"kill", body: Process::kill },
    Method { name: c"pollExec", body: Process::poll_exec },
    Method { name: c"ref", body: Process::reference },
    Method { name: c"resourceUsage", body: Process::resource_usage },
    Method { name: c"stopCapture", body: Process::stop_capture },
    Method { name: c"stopTimer", body: Process::stop_timer },
    Method { name: c"takePipe", body: Process::take_pipe },
    Method { name: c"unref", body: Process::unreference },
];

/// The class.
pub(in crate::api) fn class(env: &Env) -> Result<Unknown<'_>> {
    engine::class(env, c"Process", &METHODS)
}

/// The arguments of a process, the zeroth included.
pub(in crate::api) enum Argv<'a> {
    /// The file and then the arguments as they were given, which `lib/` can put together at less cost.
    Plain(Vec<Unknown<'a>>),
    Array(Unknown<'a>),
}

impl<'a> Argv<'a> {
    pub fn of(context: &Context<'a>, command: &Normalized<'a>) -> Result<Self> {
        if command.is_plain {
            return Ok(Self::Plain(command.words.clone()));
        }
        command.args(context).map(Self::Array)
    }
}

/// What has been started, or could not be.
pub(in crate::api) struct Start<'a> {
    /// The pid, or a negative errno.
    pub status: i32,
    pub file: Unknown<'a>,
    pub argv: Argv<'a>,
    /// Which of the child's descriptors are pipes.
    pub pipes: Vec<bool>,
    /// The call of `execFile`.
    pub call: Option<Unknown<'a>>,
}

/// An object of the class.
#[derive(Clone, Copy)]
pub(in crate::api) struct ProcessObject<'a> {
    env: &'a Env,
    pub object: Unknown<'a>,
    /// Whether it was made here, because the program uses the addon without `lib/`.
    pub is_alone: bool,
    process: &'a Process,
}

impl<'a> ProcessObject<'a> {
    /// The given one, or a new one.
    pub fn of(env: &'a Env, given: Option<Object<'a>>) -> Result<Self> {
        if let Some(object) = given.map(|given| given.to_unknown()) {
            let process = engine::wrap(env, &object, Process::default())
                .or_else(|error| engine::native(env, &object).ok_or(error))?;
            return Ok(Self { env, object, is_alone: false, process });
        }
        let class = runtime::of(env)?.process_class()?.get(env)?;
        let object = engine::construct(env, &class, [])?;
        let process = engine::wrap(env, &object, Process::default())?;
        Ok(Self { env, object, is_alone: true, process })
    }

    /// Tells JavaScript what has been started. Returns the process; a given one gets only the properties that its caller
    /// cannot know, and then this returns the status and the pipes in one number, which costs less than a property.
    pub fn describe(&self, start: &Start<'a>) -> Result<Unknown<'a>> {
        let Start { status, file, argv, pipes, call } = start;
        if self.is_alone {
            let status_value = engine::number(self.env, (*status).into())?;
            self.set(if *status < 0 { c"errno" } else { c"pid" }, &status_value)?;
        } else if let Some(call) = call {
            self.set(c"call", call)?;
        }
        if self.is_alone || pipes.len() > STANDARD as usize {
            let text: Vec<u8> = pipes.iter().map(|is_pipe| if *is_pipe { b'p' } else { b'-' }).collect();
            self.set(c"pipes", &engine::string(self.env, &text)?)?;
        }
        let args = match argv {
            Argv::Array(args) => Some(*args),
            Argv::Plain(words) if self.is_alone => Some(engine::array(self.env, words)?),
            Argv::Plain(_) => None,
        };
        if let Some(args) = args {
            self.set(c"spawnfile", file)?;
            self.set(c"spawnargs", &args)?;
        }
        if self.is_alone {
            return Ok(self.object);
        }
        let standard = pipes.iter().take(STANDARD as usize).rev();
        let bits = standard.fold(0, |bits, is_pipe| bits * 2 + i32::from(*is_pipe));
        engine::number(self.env, f64::from(*status * 8 + bits))
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

    /// Carries out the plan. If a program has replaced `ChildProcess.prototype.spawn` and launched nothing, the timer of
    /// `timeout` runs all the same, as with the builtin.
    pub fn follow(&self, plan: &Plan, captures: bool) -> Result<()> {
        self.process.capture.replace(plan.capture.clone());
        if self.child().is_none() {
            let Ok(reactor) = runtime::of(self.env)?.reactor(self.env) else { return Ok(()) };
            self.set_child(Some(Child::new(&reactor, self.is_alone)));
        }
        let Some(child) = self.child() else { return Ok(()) };
        if plan.timeout.is_some() {
            child.listen(self.env, &self.object)?;
        }
        child.follow(plan, captures);
        Ok(())
    }
}

fn index(env: &Env, call: &MethodCall) -> Result<usize> {
    engine::to_f64(env, &call.arguments[0]).map(|index| index as usize)
}

impl Process {
    fn child(&self) -> Option<Rc<Child>> {
        self.child.borrow().clone()
    }

    fn capture(&self) -> Option<Rc<Capture>> {
        self.capture.borrow().clone()
    }

    fn kill<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let signal = engine::to_f64(env, &call.arguments[0])? as i32;
        let errno = match self.child().map(|child| child.kill(signal)) {
            Some(Ok(())) => 0,
            Some(Err(error)) => -sys::errno(&error),
            None => -libc::ESRCH,
        };
        engine::number(env, errno.into()).map(Some)
    }

    fn reference<'a>(&self, _env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.with_child(|child| child.set_referenced(true))
    }

    fn unreference<'a>(&self, _env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.with_child(|child| child.set_referenced(false))
    }

    fn with_child<'a>(&self, body: impl FnOnce(&Rc<Child>)) -> Answer<'a> {
        if let Some(child) = self.child() {
            body(&child);
        }
        Ok(None)
    }

    fn has_ref<'a>(&self, env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        engine::boolean(env, self.child().is_some_and(|child| child.has_ref())).map(Some)
    }

    fn take_pipe<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let index = index(env, call)?;
        let fd = self.child().and_then(|child| child.take_end_for_stream(index));
        engine::number(env, fd.map_or(-1, IntoRawFd::into_raw_fd).into()).map(Some)
    }

    fn close_pipes<'a>(&self, _env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.with_child(|child| child.close_ends())
    }

    fn await_exec<'a>(&self, env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        engine::boolean(env, self.child().is_some_and(|child| child.await_exec())).map(Some)
    }

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

    fn stop_timer<'a>(&self, _env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.with_child(|child| {
            child.stop_timer();
            child.release_callback();
        })
    }

    fn stop_capture<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let Some(capture) = self.capture() else { return Ok(None) };
        let (begun, is_last) = match self.child() {
            Some(child) => child.stop_capture(&capture, index(env, call)?),
            None => (vec![], false),
        };
        capture.describe(env, begun, is_last).map(Some)
    }

    fn captured_parts<'a>(&self, env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.capture().map(|capture| capture.parts(env)).transpose()
    }

    fn cut_output<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        if let (Some(child), Some(capture)) = (self.child(), self.capture()) {
            child.cut_for_length(env, &capture, index(env, call)?);
        }
        Ok(None)
    }

    fn finish<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let Some(capture) = self.capture() else { return Ok(None) };
        let context = Context::of(env, Some(call.this.coerce_to_object()?));
        let [call, end, ..] = &call.arguments;
        let end = exec::CloseEvent::read(&end.coerce_to_object()?)?;
        let arguments = match self.child() {
            Some(child) => child.finish(&context, &capture, call, &end),
            None => exec::callback_arguments(&context, &capture, call, &end),
        };
        engine::array(env, &arguments?).map(Some)
    }
}

/// Carries out the plan of `normalize` for `process`. `captures`: whether the outputs of `execFile` are captured
/// natively.
///
/// ```ts
/// /** The result of `normalize` for `follow`. */
/// export type Plan = object;
/// ```
#[napi(catch_unwind)]
pub fn follow(
    env: &Env,
    process: Object,
    #[napi(ts_arg_type = "Plan")] plan: &External<Plan>,
    captures: bool,
) -> Result<()> {
    ProcessObject::of(env, Some(process))?.follow(plan, captures)
}

/// The number of a signal given by name or number. Throws `ERR_UNKNOWN_SIGNAL`.
#[napi(catch_unwind)]
pub fn signal_number(env: &Env, signal: Unknown, host: Option<Object>) -> Result<i32> {
    signal::from_value(&Context::of(env, host), &signal)
}
