//! The class `Channel`, and other functions that `lib/` calls when it sets up a channel.

use std::cell::OnceCell;
use std::os::fd::{IntoRawFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use napi::bindgen_prelude::{JsValue, Object};
use napi::{Env, Error, Result, Unknown, ValueType};
use napi_derive::napi;

use super::super::runtime;
use super::events::Listener;
use super::sending::Request;
use super::{Channel, Settings};
use crate::channel::Mode;
use crate::engine::{self, Answer, Method, MethodCall};
use crate::options::channel::is_advanced;
use crate::options::{Context, is_nullish, is_truthy, option, text};
use crate::sys;

/// How long an end polls its socket for a quick answer before it returns to the event loop, microseconds.
const BUSY_POLL: f64 = 50.0;
const LONGEST_BUSY_POLL: f64 = 1e6;
/// The defaults of `maxMessageSize`, bytes: V8's longest string, and the longest frame.
const LONGEST_TEXT: f64 = ((1 << 29) - 24) as f64;
const LONGEST_FRAME: f64 = u32::MAX as f64;

/// The class `Channel`: one end of an IPC channel. Its objects have nothing in them until they are opened.
///
/// ```ts
/// /** The options of `fork()` for its channel; the child's end gets those that the parent has passed to it. */
/// export interface ChannelOptions {
///   serialization?: string;
///   busyPoll?: number;
///   maxMessageSize?: number;
///   /** Only for the child's end: the secret that its first word contains (docs/protocol.md). */
///   introduces?: string;
///   /** Only for the parent's end: the secret that the first word of a native child contains. */
///   expects?: string;
/// }
/// export interface SendOptions {
///   keepOpen?: boolean;
///   swallowErrors?: boolean;
/// }
/// /** Called when the message has been written, or has failed. */
/// export type Written = (error: Error | null) => void;
/// /** Whether the sender should continue to send. Undefined: yes, and the message may not have been written yet. */
/// export type Sent = boolean | undefined;
///
/// /** One end of an IPC channel, opened by `spawn`, `fork` or `openChannel`. Before that its methods do nothing. */
/// export class Channel {
///   /** Whether messages are serialised by V8 instead of as JSON. */
///   readonly isAdvanced: boolean;
///   /** The channel's number, the first argument of the three functions below, which are the same for all channels. */
///   readonly number: number;
///   /**
///    * Sends a message without a handle, faster than `send`. If it returns undefined while a message is being
///    * delivered, `endTick` must be called after that message's delivery.
///    */
///   readonly sendValue: (number: number, message: any, isSilent?: boolean, callback?: Written) => Sent;
///   /**
///    * The same for a message that needs no further checks: in json mode the JSON text of an object, in advanced mode
///    * an object that is neither a Buffer nor an ArrayBuffer.
///    */
///   readonly sendPrepared: (number: number, message: string | object, isSilent?: boolean, callback?: Written) => Sent;
///   /**
///    * Writes messages that wait for the end of the tick or of the delivery, if it is time. With `disconnects`, it
///    * performs a requested `disconnect()` instead.
///    */
///   readonly endTick: (number: number, disconnects?: boolean) => void;
///   /**
///    * Creates the object for a handle that came with `message`; `arrival` is the argument of `onHandle`. Calls
///    * `take(error, object)` immediately, or for a server or datagram socket when it is listening.
///    */
///   convert(message: unknown, arrival: number, take: (error: Error | null, object?: unknown) => void): void;
///   /**
///    * Closes the channel and calls `onDisconnect()`, after the handles that were sent have arrived and the current
///    * messages have been delivered. `isDelivering`: the caller is still delivering messages, and will call this
///    * again afterwards. Returns false if the channel waits for handles to arrive.
///    */
///   disconnect(isDelivering?: boolean): boolean;
///   /** The file descriptor of its socket; a negative errno if it is closed. */
///   fd(): number;
///   /** Whether the channel keeps the event loop alive. */
///   hasRef(): boolean;
///   /** Makes the channel keep the event loop alive. */
///   ref(): void;
///   /**
///    * Sends any message, with or without a socket or server (Node.js documentation, «subprocess.send»). `options`:
///    * `true` means `swallowErrors`. `callback(error)` is called when the message has been written.
///    * @throws `ERR_INVALID_ARG_TYPE`, `ERR_MISSING_ARGS`, `ERR_INVALID_HANDLE_TYPE`, and what the serialisation throws.
///    */
///   send(message: unknown, handle?: unknown, options?: SendOptions | boolean, callback?: Written): Sent;
///   /** Makes the channel no longer keep the event loop alive. */
///   unref(): void;
/// }
/// ```
#[derive(Default)]
pub struct ChannelClass(OnceCell<Rc<Channel>>);

static METHODS: [Method<ChannelClass>; 7] = [
    Method { name: c"convert", body: ChannelClass::convert },
    Method { name: c"disconnect", body: ChannelClass::disconnect },
    Method { name: c"fd", body: ChannelClass::fd },
    Method { name: c"hasRef", body: ChannelClass::has_ref },
    Method { name: c"ref", body: ChannelClass::reference },
    Method { name: c"send", body: ChannelClass::send },
    Method { name: c"unref", body: ChannelClass::unreference },
];

/// The class.
pub(in crate::api) fn class(env: &Env) -> Result<Unknown<'_>> {
    engine::class(env, c"Channel", &METHODS)
}

impl ChannelClass {
    fn send<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let Some(channel) = self.0.get() else { return Ok(None) };
        let [message, handle, options, callback] = call.arguments;
        let request = request(env, &options, callback)?;
        let sent = if engine::is_truthy(&handle)? {
            channel.check(env, &message)?;
            channel.send_handle(env, &message, &handle, request)
        } else {
            channel.send_value(env, &message, request)
        };
        sent?.map(|sent| engine::boolean(env, sent)).transpose()
    }

    fn convert<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let Some(channel) = self.0.get() else { return Ok(None) };
        let [message, arrival, take, _] = call.arguments;
        let arrival = engine::to_f64(env, &arrival)? as u32;
        channel.convert(env, &message, arrival, &take).map(|()| None)
    }

    fn disconnect<'a>(&self, env: &'a Env, call: &MethodCall<'a>) -> Answer<'a> {
        let Some(channel) = self.0.get() else { return Ok(None) };
        let is_delivering = engine::is_truthy(&call.arguments[0])?;
        engine::boolean(env, channel.disconnect(env, is_delivering)?).map(Some)
    }

    fn reference<'a>(&self, _env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.set_referenced(true)
    }

    fn unreference<'a>(&self, _env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        self.set_referenced(false)
    }

    fn set_referenced<'a>(&self, is_referenced: bool) -> Answer<'a> {
        if let Some(channel) = self.0.get() {
            channel.set_referenced(is_referenced);
        }
        Ok(None)
    }

    fn has_ref<'a>(&self, env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        let has_ref = self.0.get().is_some_and(|channel| channel.keep_alive.is_referenced());
        engine::boolean(env, has_ref).map(Some)
    }

    fn fd<'a>(&self, env: &'a Env, _call: &MethodCall<'a>) -> Answer<'a> {
        let fd = self.0.get().map_or(-libc::EINVAL, |channel| channel.fd());
        engine::number(env, fd.into()).map(Some)
    }
}

/// Creates a channel without a socket, and its Channel object: `events` if that is one, otherwise a new object.
/// `runtime` is the result of `open`.
///
/// # Errors
/// `EMFILE`; an N-API failure.
pub(in crate::api) fn create<'a>(
    env: &'a Env,
    runtime: u32,
    events: Object<'a>,
    settings: Settings,
) -> Result<(Unknown<'a>, Rc<Channel>)> {
    let runtime = runtime::numbered(runtime)?;
    let node = runtime.channel_node(env)?;
    if settings.mode == Mode::Advanced {
        // Loaded now, because the package's files may have been deleted by the time they are needed.
        node.serialization(env)?;
    }
    let class = runtime::of(env)?.channel_class()?.get(env)?;
    let given = events.to_unknown();
    let is_channel = engine::is_instance(env, &given, &class)?;
    let object = if is_channel { given } else { engine::construct(env, &class, [])? };
    let reactor = runtime.reactor(env).map_err(|error| node.channel_error(env, &error))?;
    let channel = Channel::new(&node, &reactor, Listener::new(env, &events)?, settings);
    channel.number.set(node.number(&channel));
    engine::wrap(env, &object, ChannelClass(OnceCell::from(Rc::clone(&channel))))?;
    let functions = node.functions(env)?;
    let properties = [
        (c"isAdvanced", engine::boolean(env, settings.mode == Mode::Advanced)?),
        (c"number", engine::number(env, channel.number.get().into())?),
        (c"sendValue", functions.send_value.get(env)?),
        (c"sendPrepared", functions.send_prepared.get(env)?),
        (c"endTick", functions.end_tick.get(env)?),
    ];
    for (name, value) in &properties {
        engine::set_property(env, &object, name, value)?;
    }
    Ok((object, channel))
}

/// Opens an end of a channel on the socket `fd`, which it then owns, unless this throws. `runtime` is the result of
/// `open`. Events are reported by calling the methods of `events`. If that is a Channel, it becomes the channel.
///
/// # Errors
/// `EBADF`, `EMFILE`, `ENOMEM`, `ENOSPC`.
#[napi(catch_unwind, ts_return_type = "Channel")]
pub fn open_channel<'env>(
    env: &'env Env,
    runtime: u32,
    fd: RawFd,
    #[napi(ts_arg_type = "ChannelOptions")] options: Object<'env>,
    #[napi(ts_arg_type = "ChannelEvents")] events: Object<'env>,
) -> Result<Unknown<'env>> {
    let context = Context::of(env, None);
    let read = |name| option(&options, name);
    let settings =
        Settings::read(&context, &read(c"serialization")?, &read(c"busyPoll")?, &read(c"maxMessageSize")?)?;
    let [introduces, expects] = [read(c"introduces")?, read(c"expects")?];
    let (object, channel) = create(env, runtime, events, settings)?;
    let socket = sys::adopt(fd).map_err(|error| {
        channel.abandon();
        channel.node().channel_error(env, &error)
    })?;
    channel.open(env, socket).map_err(|(error, socket)| {
        let _ = socket.into_raw_fd();
        error
    })?;
    if is_truthy(&introduces)? {
        channel.introduce(text(&introduces)?);
    }
    if is_truthy(&expects)? {
        channel.expect(text(&expects)?);
    }
    Ok(object)
}

impl Settings {
    /// Of options of `fork()`.
    ///
    /// # Errors
    /// What a conversion to a number throws.
    pub fn read(
        context: &Context,
        serialization: &Unknown,
        busy_poll: &Unknown,
        max_message_size: &Unknown,
    ) -> Result<Self> {
        let mode = if is_advanced(serialization)? { Mode::Advanced } else { Mode::Json };
        let longest = if mode == Mode::Advanced { LONGEST_FRAME } else { LONGEST_TEXT };
        let busy_poll = if is_nullish(busy_poll)? { usual_busy_poll(context)? } else { Some(*busy_poll) };
        let busy_poll = busy_poll.map_or(Ok(BUSY_POLL), |value| value.coerce_to_number()?.get_double())?;
        Ok(Self {
            mode,
            spin: Duration::from_micros(busy_poll.min(LONGEST_BUSY_POLL) as u64),
            limit: engine::to_f64(context.env, max_message_size).unwrap_or(longest) as usize,
        })
    }
}

/// The value of `CHILD_PROCESS_RS_BUSY_POLL`, the default of `busyPoll`.
fn usual_busy_poll<'a>(context: &Context<'a>) -> Result<Option<Unknown<'a>>> {
    let environment = context.of_process(c"env")?.coerce_to_object()?;
    let variable = option(&environment, c"CHILD_PROCESS_RS_BUSY_POLL")?;
    Ok(is_truthy(&variable)?.then_some(variable))
}

fn request<'a>(env: &Env, options: &Unknown, callback: Unknown<'a>) -> Result<Request<'a>> {
    let is_set = |name| engine::is_truthy(&engine::property(env, options, name)?);
    let callback = engine::is_function(&callback)?.then_some(callback);
    Ok(match engine::kind(options)? {
        ValueType::Boolean => {
            Request { callback, is_silent: engine::to_bool(env, options)?, keeps_open: false }
        }
        ValueType::Object => {
            Request { callback, is_silent: is_set(c"swallowErrors")?, keeps_open: is_set(c"keepOpen")? }
        }
        _ => Request { callback, ..Request::default() },
    })
}

/// Sets close-on-exec on a descriptor that this process has inherited. Throws if it is not open.
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
