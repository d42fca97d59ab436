//! The class `Channel`, and other functions that `lib/` calls when it sets up a channel.

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

/// The defaults of `maxMessageSize`, bytes: V8's longest string, and the longest frame.
const LONGEST_TEXT: f64 = ((1 << 29) - 24) as f64;
const LONGEST_FRAME: f64 = u32::MAX as f64;

/// One end of an IPC channel.
///
/// ```ts
/// export interface ChannelSettings {
///   /** Whether messages are serialised by V8 instead of as JSON. */
///   isAdvanced?: boolean;
///   /** How long to poll the socket for a quick answer, microseconds. */
///   busyPoll?: number;
///   /** The longest message that is accepted, bytes. */
///   maxMessageSize?: number;
///   /** The secret with which this end introduces itself to the other end. */
///   introduces?: string;
///   /** The secret with which the other end introduces itself if it is native. */
///   expects?: string;
/// }
/// export interface SendOptions {
///   keepOpen?: boolean;
///   swallowErrors?: boolean;
/// }
/// /** Called when the message has been written, or has failed. */
/// export type Written = (error: Error | null) => void;
/// /** Whether the sender should go on sending. Undefined: yes, and the message may not have been written yet. */
/// export type Sent = boolean | undefined;
/// ```
#[napi(js_name = "Channel")]
pub struct ChannelClass(Rc<Channel>);

#[napi]
impl ChannelClass {
    /// Opens an end of a channel on the socket `fd`, of which it becomes the owner unless this throws. `number` is
    /// the result of `open`. Events are reported by calling the methods of `events`.
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
            // Loaded now, because the package's files may have been deleted by the time they are needed.
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

    /// `send(message, handle, options, callback)` sends any message, with or without a socket or server (Node.js
    /// documentation, «subprocess.send»). `options` are `keepOpen` and `swallowErrors`; `true` means `swallowErrors`.
    /// `callback(error)` is called when the message has been written. Returns whether the sender should go on
    /// sending; undefined means yes, and that the message may not have been written yet.
    ///
    /// # Errors
    /// `ERR_INVALID_ARG_TYPE`, `ERR_MISSING_ARGS`, `ERR_INVALID_HANDLE_TYPE`, and what the serialisation throws.
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

    /// The channel's number. The three functions below are the same for all channels and take it as first argument.
    #[napi(getter, catch_unwind)]
    pub fn number(&self) -> u32 {
        self.0.number.get()
    }

    /// `sendValue(number, message, isSilent, callback)` sends a message without a handle, faster than `send`. If it
    /// returns undefined while a message is being delivered, `endTick` must be called after that message's delivery.
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

    /// The same for a message that needs no further checks: in json mode the JSON text of an object, in advanced mode
    /// an object that is neither a Buffer nor an ArrayBuffer.
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

    /// `endTick(number)` writes coalesced messages that have waited long enough. With `disconnects`, it performs a
    /// requested `disconnect()` instead.
    ///
    /// # Errors
    /// An N-API failure.
    #[napi(getter, catch_unwind, ts_return_type = "(number: number, disconnects?: boolean) => void")]
    pub fn end_tick<'a>(&self, env: &'a Env) -> Result<Unknown<'a>> {
        self.0.node.functions(env)?.end_tick.get(env)
    }

    /// Creates the object for a handle that came with `message`; `arrival` is the argument of `onHandle`. Calls
    /// `take(error, object)` at once, or for a server or datagram socket when it is listening.
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

    /// Closes the channel and calls `onDisconnect()`, after the handles that were sent have arrived and the current
    /// messages have been delivered. `isDelivering`: the caller is still delivering messages, and will call this
    /// again afterwards. Returns false if the channel waits for handles to arrive.
    ///
    /// # Errors
    /// An N-API failure.
    #[napi(catch_unwind)]
    pub fn disconnect(&self, env: &Env, is_delivering: Option<bool>) -> Result<bool> {
        self.0.disconnect(env, is_delivering.unwrap_or(false))
    }

    /// Makes the channel keep the event loop alive. A new channel does not.
    #[napi(js_name = "ref", catch_unwind)]
    pub fn reference(&self) {
        self.0.keep_alive.set_referenced(true);
    }

    /// Makes the channel no longer keep the event loop alive.
    #[napi(js_name = "unref", catch_unwind)]
    pub fn unreference(&self) {
        self.0.keep_alive.set_referenced(false);
    }

    /// Whether the channel keeps the event loop alive.
    #[napi(catch_unwind)]
    pub fn has_ref(&self) -> bool {
        self.0.keep_alive.is_referenced()
    }

    /// The file descriptor of its socket; a negative errno if it is closed.
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

/// Sets close-on-exec on a descriptor that this process was given. Throws if it is not open.
#[napi(catch_unwind)]
pub fn close_on_exec(fd: RawFd) -> Result<()> {
    std::mem::forget(sys::adopt(fd).map_err(|error| Error::from_reason(error.to_string()))?);
    Ok(())
}

/// Passes an error to `uncaughtException`.
#[napi(catch_unwind)]
pub fn throw_uncaught(env: &Env, error: Unknown) -> Result<()> {
    engine::throw_uncaught(env, &error)
}

/// Closes a descriptor.
#[napi(catch_unwind)]
pub fn close_fd(fd: RawFd) {
    drop(sys::adopt(fd));
}

/// A random string that nobody can guess.
#[napi(catch_unwind)]
pub fn secret() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
