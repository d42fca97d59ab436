//! What `lib/link.js` calls.

use std::hash::{BuildHasher, RandomState};
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::Duration;

use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Env, Error, Result, Unknown};
use napi_derive::napi;

use super::super::runtime::runtime;
use super::{Channel, HandleHooks, Hooks, Serialization, Settings, registry};
use crate::channel::Mode;
use crate::engine::{self, Held};
use crate::reactor::Callback;
use crate::sys;

/// Takes the functions that channels call: those of `Hooks`, in camel case.
#[napi(catch_unwind)]
pub fn set_channel_hooks(number: u32, env: &Env, functions: Object) -> Result<()> {
    let held = |name: &str| Held::new(env, &functions.get_named_property::<Unknown>(name)?);
    let hooks = Hooks {
        on_messages: held("onMessages")?,
        on_internal: held("onInternal")?,
        handles: HandleHooks::new(env, &functions)?,
        on_missing: held("onMissing")?,
        on_lost: held("onLost")?,
        on_end: held("onEnd")?,
        on_broken: held("onBroken")?,
        on_written: held("onWritten")?,
        on_failed: held("onFailed")?,
        parse: held("parse")?,
        serialization: Serialization::new(env, &functions)?,
    };
    runtime(number)?.channel_hooks.replace(Some(Rc::new(hooks)));
    Ok(())
}

/// Closes a descriptor that this process was given, and only this one, at exec. Throws where it is not open.
#[napi(catch_unwind)]
pub fn close_on_exec(fd: RawFd) -> Result<()> {
    std::mem::forget(sys::adopt(fd).map_err(|error| Error::from_reason(error.to_string()))?);
    Ok(())
}

/// Makes the socket `fd` an end of a channel, which takes it over unless this fails; the hooks are called on `handle`. It looks
/// for quick answers for `spin` microseconds, and takes messages of at most `limit` bytes. Returns the number of the channel, or
/// a negative errno; `handle.write` becomes the function that sends: `write(message, form)`, where `form` is 0 for a string,
/// number, boolean or null in json mode, 1 for the text of an object there, 2 for any value in advanced mode, 3 for a Buffer, 4 for
/// an ArrayBuffer, and 8 more where `onWritten` is to count the message; `write()` is to be called at the end of a tick that has sent
/// something. It returns flags: 1 there is room for more, 2 all is written, 4 `write()` is to be called, 8 after a while; nothing
/// for 1 alone; or a negative errno.
#[napi(catch_unwind)]
pub fn open_channel(
    number: u32,
    env: &Env,
    mut handle: Object,
    fd: RawFd,
    is_advanced: bool,
    spin: u32,
    limit: f64,
) -> Result<i64> {
    let runtime = runtime(number)?;
    let hooks = runtime.channel_hooks.borrow().clone();
    let hooks = hooks.ok_or_else(|| Error::from_reason("child-process-rs: no hooks"))?;
    let mode = if is_advanced { Mode::Advanced } else { Mode::Json };
    let settings = Settings { mode, spin: Duration::from_micros(spin.into()), limit: limit as usize };
    let callback = Callback::new(env, &handle, "PIPEWRAP")?;
    let opened =
        runtime.reactor(env).and_then(|reactor| Channel::open(&hooks, &reactor, callback, fd, settings));
    Ok(match opened {
        Ok(channel) => {
            handle.set_named_property("write", engine::function(env, Rc::clone(&channel))?)?;
            registry::add(channel).into()
        }
        Err(error) => -i64::from(sys::errno(&error)),
    })
}

/// Hands an error to `uncaughtException`.
#[napi(catch_unwind)]
pub fn throw_uncaught(env: &Env, error: Unknown) -> Result<()> {
    engine::throw_uncaught(env, &error)
}

/// Closes a descriptor that came with a message and that nobody takes.
#[napi(catch_unwind)]
pub fn close_fd(fd: RawFd) {
    drop(sys::adopt(fd));
}

/// Tells the other end, which has announced a native channel with this secret, that this end is native.
#[napi(catch_unwind)]
pub fn introduce(channel: u32, secret: String) {
    if let Some(channel) = registry::find(channel) {
        channel.introduce(secret);
    }
}

/// The other end is to introduce itself as a native one with this secret.
#[napi(catch_unwind)]
pub fn expect_native(channel: u32, secret: String) {
    if let Some(channel) = registry::find(channel) {
        channel.expect(secret);
    }
}

/// A text that nobody can guess.
#[napi(catch_unwind)]
pub fn secret() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

/// How many awaited messages were written since this was asked last.
#[napi(catch_unwind)]
pub fn take_written(channel: u32) -> u32 {
    registry::find(channel).map_or(0, |channel| channel.take_done())
}

/// Whether a message that nobody awaited has just been lost.
#[napi(catch_unwind)]
pub fn take_lost(channel: u32) -> bool {
    registry::find(channel).is_some_and(|channel| channel.take_lost())
}

/// No more messages are wanted. `true`: some have come and are still to be delivered, and `onEnd` is called after them.
#[napi(catch_unwind)]
pub fn end_channel(channel: u32) -> bool {
    registry::find(channel).is_some_and(|channel| channel.end())
}

/// Closes the channel, once all that was sent is written.
#[napi(catch_unwind)]
pub fn close_channel(channel: u32) {
    if let Some(channel) = registry::find(channel) {
        channel.close();
        if channel.is_closed() {
            registry::forget(&channel);
        }
    }
}

/// Whether the event loop waits for the channel.
#[napi(catch_unwind)]
pub fn set_channel_referenced(channel: u32, referenced: bool) {
    if let Some(channel) = registry::find(channel) {
        channel.set_referenced(referenced);
    }
}

/// Whether the event loop waits for the channel.
#[napi(catch_unwind)]
pub fn channel_has_ref(channel: u32) -> bool {
    registry::find(channel).is_some_and(|channel| channel.has_ref())
}

/// The socket of the channel; a negative errno where it is closed.
#[napi(catch_unwind)]
pub fn channel_fd(channel: u32) -> i32 {
    registry::find(channel).map_or(-libc::EINVAL, |channel| channel.fd())
}
