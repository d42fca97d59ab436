//! The class `Channel`, and what else JavaScript calls on the way to one.

use std::hash::{BuildHasher, RandomState};
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::Duration;

use napi::bindgen_prelude::Object;
use napi::{Env, Error, Result, Unknown, ValueType};
use napi_derive::napi;

use super::super::runtime::runtime;
use super::events::Listener;
use super::sending::Request;
use super::{Channel, Settings, registry};
use crate::channel::Mode;
use crate::engine;
use crate::options::{is_truthy, option};
use crate::sys;

/// The longest message unless `maxMessageSize` says otherwise, bytes: the longest string of the engine, and the longest frame.
const LONGEST_TEXT: f64 = ((1 << 29) - 24) as f64;
const LONGEST_FRAME: f64 = u32::MAX as f64;

/// One end of an IPC channel.
///
/// ```ts
/// export interface ChannelSettings {
///   /** Whether messages are serialised by V8, rather than as JSON. */
///   isAdvanced?: boolean;
///   /** For how long to look for a quick answer, microseconds. */
///   busyPoll?: number;
///   /** The longest message, bytes. */
///   maxMessageSize?: number;
///   /** The secret that the other end waits for. */
///   introduces?: string;
///   /** The secret that the other end is to introduce itself with if it is a native one. */
///   expects?: string;
/// }
/// export interface SendOptions {
///   keepOpen?: boolean;
///   swallowErrors?: boolean;
/// }
/// /** Called when the message is written. */
/// export type Written = (error: Error | null) => void;
/// /** Whether there is room for more; undefined: there is, and the message may not be written yet. */
/// export type Sent = boolean | undefined;
/// ```
#[napi(js_name = "Channel")]
pub struct ChannelClass(Rc<Channel>);

#[napi]
impl ChannelClass {
    /// Makes the socket `fd` an end of a channel, which takes it over unless this throws. `number` is what `open` gave. The
    /// methods of `events` are called for what happens.
    ///
    /// # Errors
    /// `EBADF`, `ENOMEM`, `ENOSPC`.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        number: u32,
        env: &Env,
        fd: RawFd,
        #[napi(ts_arg_type = "ChannelSettings")] options: Object,
        #[napi(ts_arg_type = "ChannelEvents")] events: Object,
    ) -> Result<Self> {
        let runtime = runtime(number)?;
        let node = runtime.channel_node(env)?;
        let is_advanced = is_truthy(&option(&options, c"isAdvanced")?)?;
        let number_of = |name, usual| Ok::<_, Error>(option_number(env, &options, name)?.unwrap_or(usual));
        let longest = if is_advanced { LONGEST_FRAME } else { LONGEST_TEXT };
        let settings = Settings {
            mode: if is_advanced { Mode::Advanced } else { Mode::Json },
            spin: Duration::from_micros(number_of(c"busyPoll", 0.0)? as u64),
            limit: number_of(c"maxMessageSize", longest)? as usize,
        };
        if is_advanced {
            // Its files may not be there any more when they are needed.
            node.serialization(env)?;
        }
        let listener = Listener::new(env, &events)?;
        let opened =
            runtime.reactor(env).and_then(|reactor| Channel::open(&node, &reactor, listener, fd, settings));
        let channel = opened.map_err(|error| match node.context(env) {
            Ok(context) => context.system_error(sys::errno(&error), "ipc"),
            Err(error) => error,
        })?;
        if let Some(secret) = option_text(&options, c"introduces")? {
            channel.introduce(secret);
        }
        if let Some(secret) = option_text(&options, c"expects")? {
            channel.expect(secret);
        }
        channel.number.set(node.number(&channel));
        registry::add(Rc::clone(&channel));
        Ok(Self(channel))
    }

    /// `send(message, handle, options, callback)` sends any message, alone or with a socket or server (Node.js documentation,
    /// «subprocess.send»). `options`: `keepOpen`, `swallowErrors`; `true` stands for the latter. `callback(error)` is called when it is
    /// written. It gives true or false, whether there is room for more; or undefined: there is, and the message may not be written yet.
    ///
    /// # Errors
    /// `ERR_INVALID_ARG_TYPE`, `ERR_MISSING_ARGS`, `ERR_INVALID_HANDLE_TYPE`, and what serialising throws.
    #[napi(
        catch_unwind,
        ts_args_type = "message: unknown, handle?: unknown, options?: SendOptions | boolean, callback?: Written",
        ts_return_type = "Sent"
    )]
    pub fn send(
        &self,
        env: &Env,
        message: Unknown,
        handle: Unknown,
        options: Unknown,
        callback: Unknown,
    ) -> Result<Option<bool>> {
        let request = request(env, &options, callback)?;
        if !engine::is_truthy(env, &handle)? {
            return self.0.send_value(env, &message, request);
        }
        self.0.check(env, &message)?;
        self.0.send_handle(env, &message, &handle, request)
    }

    /// Its number, for the three functions below. All channels have the same ones.
    #[napi(getter, catch_unwind)]
    pub fn number(&self) -> u32 {
        self.0.number.get()
    }

    /// `sendValue(number, message, isSilent, callback)`: a message alone, at less cost. It gives undefined where there is room and the
    /// message may not be written yet: while messages are delivered, `endTick` is to be called after the one that sent it.
    ///
    /// # Errors
    /// An N-API failure.
    #[napi(
        getter,
        catch_unwind,
        ts_return_type = "(number: number, message: any, isSilent?: boolean, callback?: Written) => Sent"
    )]
    pub fn send_value<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        self.0.node.functions(env)?.send_value.get(env)
    }

    /// The same for what need not be looked at: in json mode the JSON text of an object, in advanced mode an object that is neither a
    /// Buffer nor an ArrayBuffer.
    ///
    /// # Errors
    /// An N-API failure.
    #[napi(
        getter,
        catch_unwind,
        ts_return_type = "(number: number, message: string | object, isSilent?: boolean, callback?: Written) => Sent"
    )]
    pub fn send_prepared<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        self.0.node.functions(env)?.send_prepared.get(env)
    }

    /// `endTick(number)`: writes what has waited for more, where it has waited for long enough.
    ///
    /// # Errors
    /// An N-API failure.
    #[napi(getter, catch_unwind, ts_return_type = "(number: number, leaves?: boolean) => void")]
    pub fn end_tick<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        self.0.node.functions(env)?.end_tick.get(env)
    }

    /// Makes an object of what has come with `message`, an `arrival` of `onHandle`, and calls `take(error, object)`: at once, or when it
    /// listens.
    ///
    /// # Errors
    /// What `take` throws.
    #[napi(catch_unwind)]
    pub fn convert(
        &self,
        env: &Env,
        message: Unknown,
        arrival: u32,
        #[napi(ts_arg_type = "(error: Error | null, object?: unknown) => void")] take: Unknown,
    ) -> Result<()> {
        self.0.convert(env, &message, arrival, &take)
    }

    /// Ends the channel: `onDisconnect()` is called, once the handles that were sent have arrived and what is being delivered is
    /// delivered. `isDelivering`: what `onMessages` was told of is still being delivered, and this is called again after it. `true`: no
    /// handle is waited for.
    ///
    /// # Errors
    /// An N-API failure.
    #[napi(catch_unwind)]
    pub fn disconnect(&self, env: &Env, is_delivering: Option<bool>) -> Result<bool> {
        self.0.disconnect(env, is_delivering.unwrap_or(false))
    }

    /// Has the event loop wait for the channel; it does not from the start.
    #[napi(js_name = "ref", catch_unwind)]
    pub fn reference(&self) {
        self.0.keep_alive.set_referenced(true);
    }

    /// Has the event loop not wait for it.
    #[napi(js_name = "unref", catch_unwind)]
    pub fn unreference(&self) {
        self.0.keep_alive.set_referenced(false);
    }

    /// Whether the event loop waits for it.
    #[napi(catch_unwind)]
    pub fn has_ref(&self) -> bool {
        self.0.keep_alive.is_referenced()
    }

    /// Its socket; a negative errno where it is closed.
    #[napi(getter, catch_unwind)]
    pub fn fd(&self) -> i32 {
        self.0.fd()
    }
}

fn request<'a>(env: &Env, options: &Unknown, callback: Unknown<'a>) -> Result<Request<'a>> {
    let is_set = |name| engine::is_truthy(env, &engine::property(env, options, name)?);
    let callback = engine::is_function(env, &callback)?.then_some(callback);
    Ok(match engine::kind(env, options)? {
        ValueType::Boolean => {
            Request { callback, is_silent: engine::to_bool(env, options)?, keeps_open: false }
        }
        ValueType::Object => {
            Request { callback, is_silent: is_set(c"swallowErrors")?, keeps_open: is_set(c"keepOpen")? }
        }
        _ => Request { callback, ..Request::default() },
    })
}

fn option_number(env: &Env, options: &Object, name: &std::ffi::CStr) -> Result<Option<f64>> {
    let value = option(options, name)?;
    Ok(engine::to_f64(env, &value).ok())
}

fn option_text(options: &Object, name: &std::ffi::CStr) -> Result<Option<String>> {
    let value = option(options, name)?;
    if is_truthy(&value)? { crate::options::text(&value).map(Some) } else { Ok(None) }
}

/// Closes a descriptor that this process was given, and only this one, at exec. Throws where it is not open.
#[napi(catch_unwind)]
pub fn close_on_exec(fd: RawFd) -> Result<()> {
    std::mem::forget(sys::adopt(fd).map_err(|error| Error::from_reason(error.to_string()))?);
    Ok(())
}

/// Hands an error to `uncaughtException`.
#[napi(catch_unwind)]
pub fn throw_uncaught(env: &Env, error: Unknown) -> Result<()> {
    engine::throw_uncaught(env, &error)
}

/// Closes a descriptor that nobody takes.
#[napi(catch_unwind)]
pub fn close_fd(fd: RawFd) {
    drop(sys::adopt(fd));
}

/// A text that nobody can guess.
#[napi(catch_unwind)]
pub fn secret() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
