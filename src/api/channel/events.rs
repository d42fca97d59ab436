//! What a channel tells JavaScript.

use std::ffi::CStr;

use napi::bindgen_prelude::Object;
use napi::{Env, Result, Unknown};

use crate::engine::{self, Held};
use crate::reactor::Callback;

/// What happens on a channel: a method of the listener.
///
/// ```ts
/// /**
///  * What a channel tells. The `key` of something is that of what was missing until now, or is missing. What is not
///  * there is not called.
///  */
/// export interface ChannelEvents {
///   /** Messages have come. */
///   onMessages?(messages: unknown[], key?: number): void;
///   /** An internal message has come. */
///   onInternal?(message: object, key?: number): void;
///   /**
///    * A message that announces a handle has come. `arrival` is for `convert`; undefined: the descriptor has not come,
///    * and the builtin's end will send it again.
///    */
///   onHandle?(message: { msg?: unknown }, arrival?: number, key?: number): void;
///   /** Something that has been announced has not come, and what comes from now on waits for it. */
///   onMissing?(key: number): void;
///   /** What is missing will not come any more. */
///   onLost?(key: number): void;
///   /** The first socket of a server has been sent. Its server learns from `sockets` that the child has exited. */
///   onSocketsSent?(sockets: import('node:events').EventEmitter): void;
///   /** A handle did not reach the other end. */
///   onUndelivered?(): void;
///   /** The other end does not keep to the protocol; it is no reason to throw. */
///   onError?(error: Error): void;
///   /** A message that nobody awaits could not be sent. */
///   onUnsent?(error: Error): void;
///   /**
///    * What came is no message. The error, a sentence that says how the protocol was broken, or undefined for a
///    * message that is too long.
///    */
///   onBroken?(cause: unknown, key?: number): void;
///   /** The other end is gone; in the middle of a message? */
///   onEnd?(isPartial: boolean): void;
///   /** `disconnect()` has waited for handles, and goes on. */
///   onHandlesArrived?(): void;
///   /** The channel is closed, as `disconnect()` has asked. */
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

/// The object whose methods are called, and the async context of its channel.
pub(super) struct Listener {
    callback: Callback,
    /// By the number of the event; there need not be all.
    methods: Vec<Option<Held>>,
}

impl Listener {
    pub fn new(env: &Env, events: &Object) -> Result<Self> {
        let callback = Callback::new(env, events, "PIPEWRAP")?;
        let object = callback.receiver(env)?;
        let methods = NAMES.iter().map(|(_, name)| {
            let method = engine::property(env, &object, name)?;
            if engine::is_function(env, &method)? { Held::new(env, &method).map(Some) } else { Ok(None) }
        });
        Ok(Self { methods: methods.collect::<Result<_>>()?, callback })
    }

    /// In the async context that is current now.
    pub fn context(&self, env: &Env) -> Result<Callback> {
        Callback::new(env, &self.callback.receiver(env)?, "CHANNELEND")
    }

    /// Calls the method of an event. What it throws goes to `uncaughtException`.
    pub fn tell<const N: usize>(&self, env: &Env, event: Event, arguments: [&Unknown; N]) {
        self.tell_in(env, &self.callback, event, arguments);
    }

    /// The same in another async context.
    pub fn tell_in<const N: usize>(
        &self,
        env: &Env,
        context: &Callback,
        event: Event,
        arguments: [&Unknown; N],
    ) {
        if let Some(Some(method)) = self.methods.get(event as usize) {
            // It fails only while the environment goes away.
            let _ = context.call_held(env, method, arguments);
        }
    }

    /// Calls another function.
    pub fn call<const N: usize>(&self, env: &Env, function: &Held, arguments: [&Unknown; N]) {
        // It fails only while the environment goes away.
        let _ = self.callback.call_held(env, function, arguments);
    }
}
