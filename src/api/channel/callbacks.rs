//! Calls the callbacks of `send()`, and reports messages that could not be written.

use std::rc::Rc;
use std::time::Instant;

use napi::{Env, Result, Unknown};

use super::Channel;
use super::events::Event;
use super::sending::Request;
use crate::channel::writer::RETRY_DELAY;
use crate::engine;
use crate::reactor::Callback;

/// A callback of `send()` whose message has not been written yet, with the async context of that call.
pub(super) struct Awaiting {
    context: Callback,
    is_silent: bool,
}

impl Awaiting {
    /// Calls `callback(error)` in a tick of its own, unless the error is to be swallowed.
    fn settle(&self, channel: &Channel, env: &Env, error: Option<&Unknown>) {
        if error.is_some() && self.is_silent {
            return;
        }
        let argument = error.map_or_else(|| engine::null(env), |error| Ok(*error));
        if let (Ok(callback), Ok(argument)) = (self.context.receiver(env), argument) {
            // Fails only while the environment shuts down.
            let _ = self.context.call_held(env, &channel.node.next_tick, [&callback, &argument]);
        }
    }
}

impl Channel {
    /// The message that was sent last has not been written yet: keeps its callback until it is.
    pub(super) fn await_written(&self, env: &Env, callback: &Unknown, is_silent: bool) -> Result<()> {
        let context = Callback::new(env, callback, "WRITEWRAP")?;
        self.awaiting.borrow_mut().push_back(Awaiting { context, is_silent });
        Ok(())
    }

    /// `count` more of the awaited messages have been written: calls their callbacks.
    pub(super) fn settle_written(&self, env: &Env, count: u32) {
        for _ in 0..count {
            let next = self.awaiting.borrow_mut().pop_front();
            let Some(next) = next else {
                return;
            };
            next.settle(self, env, None);
        }
    }

    /// No awaited message will be written: calls all callbacks with `error`.
    pub(super) fn settle_failed(&self, env: &Env, error: &Unknown) {
        let awaiting = self.awaiting.take();
        for one in awaiting {
            one.settle(self, env, Some(error));
        }
    }

    /// Writing has failed. Reports that to the callbacks and, as the builtin does, for a message without a callback
    /// only if its first attempt failed.
    pub(super) fn fail(&self, env: &Env, errno: i32) {
        self.fail_awaited(env, errno);
        if self.take_lost() {
            self.refuse(env, errno, &Request::default());
        }
    }

    /// The same when writing fails while the message of `request` is being sent.
    pub(super) fn fail_with(&self, env: &Env, errno: i32, request: &Request) {
        self.fail_awaited(env, errno);
        let has_lost_others = self.take_lost() && request.callback.is_some();
        self.refuse(env, errno, request);
        if has_lost_others {
            self.refuse(env, errno, &Request::default());
        }
    }

    fn take_lost(&self) -> bool {
        self.writer.borrow_mut().take_lost()
    }

    fn fail_awaited(&self, env: &Env, errno: i32) {
        if self.awaiting.borrow().is_empty() {
            return;
        }
        if let Ok(context) = self.node.context(env) {
            self.settle_failed(env, &engine::thrown(env, context.system_error(errno, "write")));
        }
    }

    /// Reports that the message of `request` could not be sent. Other messages may still be sent.
    pub(super) fn refuse(&self, env: &Env, errno: i32, request: &Request) {
        // Fails only while the environment shuts down.
        let _ = self.report_refused(env, errno, request);
    }

    fn report_refused(&self, env: &Env, errno: i32, request: &Request) -> Result<()> {
        if request.is_silent {
            return Ok(());
        }
        let error = engine::thrown(env, self.node.context(env)?.system_error(errno, "write"));
        let listener = match request.callback {
            Some(callback) => callback,
            None => {
                let Some(listener) = self.listener.borrow().clone() else {
                    return Ok(());
                };
                engine::function(env, move |env, call| {
                    let [error] = call.arguments;
                    listener.emit(env, Event::Unsent, [&error]);
                    Ok(None)
                })?
            }
        };
        engine::call(env, &self.node.next_tick, [&listener, &error]).map(drop)
    }

    /// The kernel is out of memory, or too many descriptors are in flight, possibly other processes': retries writing
    /// after a delay.
    pub(super) fn retry_later(&self) {
        if let Some(socket) = &*self.socket.borrow()
            && self.retry_at.get().is_none()
        {
            self.retry_at.set(Some(Instant::now() + RETRY_DELAY));
            self.reactor.call_after(socket, RETRY_DELAY);
            self.update_work();
        }
    }

    /// At the end of a tick or of a delay: writes what is due, and calls the callbacks of what was written.
    pub(super) fn flush_and_report(&self, env: &Env) {
        match self.flush() {
            Err(errno) => self.fail(env, errno),
            Ok(()) => {
                if self.writer.borrow().outbox.must_retry() {
                    self.retry_later();
                } else {
                    let done = self.take_done();
                    self.settle_written(env, done);
                }
            }
        }
    }

    /// Has [`Channel::end_tick`] called at the end of this tick.
    pub(super) fn call_after_tick(&self, env: &Env, disconnects: bool) -> Result<()> {
        let end_tick = self.node.functions(env)?.end_tick.get(env)?;
        let (number, disconnects) =
            (engine::number(env, f64::from(self.number.get()))?, engine::boolean(env, disconnects)?);
        engine::call(env, &self.node.next_tick, [&end_tick, &number, &disconnects]).map(drop)
    }

    /// Called at the end of a tick that has sent something or, if `disconnects`, has called `disconnect()`.
    pub(super) fn end_tick(self: &Rc<Self>, env: &Env, disconnects: bool) {
        if disconnects {
            self.disconnect_if_due(env);
        } else {
            self.flush_and_report(env);
        }
    }
}
