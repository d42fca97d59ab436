//! The events that a channel reports to JavaScript.

use std::ffi::CStr;

use napi::bindgen_prelude::Object;
use napi::{Env, Result, Unknown};

use crate::engine::{self, Held};
use crate::reactor::Callback;

/// An event of a channel. Each calls a method of the listener.
///
/// ```ts
/// /**
///  * The listener of a channel. All methods are optional. A handle or large message that could not be received is
///  * missing until the other end sends it again; `key` identifies it. An event with a `key` delivers what was missing
///  * under that key.
///  */
/// export interface ChannelEvents {
///   /** Messages for the program have arrived. */
///   onMessages?(messages: unknown[], key?: number): void;
///   /** An internal message has arrived. */
///   onInternal?(message: object, key?: number): void;
///   /**
///    * A message that announces a handle has arrived. `arrival` must be passed to `convert`. If it is undefined, the
///    * descriptor has not arrived, and the other end, a builtin one, will send the message again.
///    */
///   onHandle?(message: { msg?: unknown }, arrival?: number, key?: number): void;
///   /** Something is missing. Whatever arrives from now on must be delivered after it. */
///   onMissing?(key: number): void;
///   /** What is missing will not be sent again. */
///   onLost?(key: number): void;
///   /** The first socket of a server has been sent. `sockets` must emit 'exit' when the child exits. */
///   onSocketsSent?(sockets: import('node:events').EventEmitter): void;
///   /** A handle did not reach the other end. */
///   onUndelivered?(): void;
///   /** The other end has violated the protocol. The channel stays open. */
///   onError?(error: Error): void;
///   /** A message without a callback could not be sent. */
///   onUnsent?(error: Error): void;
///   /**
///    * An invalid message has arrived. `cause` is what decoding it threw, a text that says how the protocol was
///    * violated, or undefined if the message is too long.
///    */
///   onBroken?(cause: unknown, key?: number): void;
///   /** The other end has closed the channel. `isPartial`: in the middle of a message. */
///   onEnd?(isPartial: boolean): void;
///   /** The handles that `disconnect()` was waiting for have arrived. */
///   onHandlesArrived?(): void;
///   /** The channel has been closed by `disconnect()`, which the listener also calls after `onEnd`. */
///   onDisconnect?(): void;
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Messages,
    Internal,
    Handle,
    Missing,
    Lost,
    SocketsSent,
    Undelivered,
    Error,
    Unsent,
    Broken,
    End,
    HandlesArrived,
    Disconnect,
}

const NAMES: [(Event, &CStr); 13] = [
    (Event::Messages, c"onMessages"),
    (Event::Internal, c"onInternal"),
    (Event::Handle, c"onHandle"),
    (Event::Missing, c"onMissing"),
    (Event::Lost, c"onLost"),
    (Event::SocketsSent, c"onSocketsSent"),
    (Event::Undelivered, c"onUndelivered"),
    (Event::Error, c"onError"),
    (Event::Unsent, c"onUnsent"),
    (Event::Broken, c"onBroken"),
    (Event::End, c"onEnd"),
    (Event::HandlesArrived, c"onHandlesArrived"),
    (Event::Disconnect, c"onDisconnect"),
];

/// The JavaScript object whose methods are called, and the async context of its channel.
pub(super) struct Listener {
    callback: Callback,
    /// The methods, indexed by [`Event`]; `None` if the object does not have the method.
    methods: Vec<Option<Held>>,
}

impl Listener {
    pub fn new(env: &Env, events: &Object) -> Result<Self> {
        let callback = Callback::new(env, events, "PIPEWRAP")?;
        let object = callback.receiver(env)?;
        let methods = NAMES.iter().map(|(_, name)| {
            let method = engine::property(env, &object, name)?;
            if engine::is_function(&method)? { Held::new(env, &method).map(Some) } else { Ok(None) }
        });
        Ok(Self { methods: methods.collect::<Result<_>>()?, callback })
    }

    /// The same object, in the async context that is current now.
    pub fn context(&self, env: &Env) -> Result<Callback> {
        Callback::new(env, &self.callback.receiver(env)?, "CHANNELEND")
    }

    /// Calls the method for an event. An exception that it throws goes to `uncaughtException`.
    pub fn emit<const N: usize>(&self, env: &Env, event: Event, arguments: [&Unknown; N]) {
        self.emit_in(env, &self.callback, event, arguments);
    }

    /// The same in another async context.
    pub fn emit_in<const N: usize>(
        &self,
        env: &Env,
        context: &Callback,
        event: Event,
        arguments: [&Unknown; N],
    ) {
        if let Some(Some(method)) = self.methods.get(event as usize) {
            // Fails only while the environment shuts down.
            let _ = context.call_held(env, method, arguments);
        }
    }

    /// Calls another function in the channel's async context.
    pub fn call<const N: usize>(&self, env: &Env, function: &Held, arguments: [&Unknown; N]) {
        // Fails only while the environment shuts down.
        let _ = self.callback.call_held(env, function, arguments);
    }
}
