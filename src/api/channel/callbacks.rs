//! Who waits for a message to be written, and who hears that it could not be.

use std::rc::Rc;
use std::time::Instant;

use napi::{Env, Result, Unknown};

use super::events::Event;
use super::sending::Request;
use super::{Channel, RETRY_DELAY};
use crate::engine;
use crate::reactor::Callback;

/// A callback of `send()` whose message is not written yet, in the async context of that call.
pub(super) struct Awaiting {
    context: Callback,
    is_silent: bool,
}

impl Awaiting {
    /// `callback(error)` in a tick of its own; not with an error that is swallowed.
    fn settle(&self, channel: &Channel, env: &Env, error: Option<&Unknown>) {
        if error.is_some() && self.is_silent {
            return;
        }
        let argument = error.map_or_else(|| engine::null(env), |error| Ok(*error));
        if let (Ok(callback), Ok(argument)) = (self.context.receiver(env), argument) {
            // It fails only while the environment goes away.
            let _ = self.context.call_held(env, &channel.node.next_tick, [&callback, &argument]);
        }
    }
}

impl Channel {
    /// The message that was sent last has to wait: so has its callback.
    pub(super) fn await_written(&self, env: &Env, callback: &Unknown, is_silent: bool) -> Result<()> {
        let context = Callback::new(env, callback, "WRITEWRAP")?;
        self.awaiting.borrow_mut().push_back(Awaiting { context, is_silent });
        Ok(())
    }

    /// So many more of the awaited messages are written.
    pub(super) fn settle_written(&self, env: &Env, count: u32) {
        for _ in 0..count {
            let next = self.awaiting.borrow_mut().pop_front();
            let Some(next) = next else {
                return;
            };
            next.settle(self, env, None);
        }
    }

    /// No awaited message will be written.
    pub(super) fn settle_failed(&self, env: &Env, error: &Unknown) {
        let awaiting = self.awaiting.take();
        for one in awaiting {
            one.settle(self, env, Some(error));
        }
    }

    /// What was sent could not be written. Of what had to wait for room only those hear who asked, as with the builtin.
    pub(super) fn fail(&self, env: &Env, errno: i32) {
        self.fail_awaited(env, errno);
        if self.take_lost() {
            self.refuse(env, errno, &Request::default());
        }
    }

    /// The same where it shows when another message is sent.
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

    /// A message is not sent; others may be.
    pub(super) fn refuse(&self, env: &Env, errno: i32, request: &Request) {
        // It fails only while the environment goes away.
        let _ = self.tell_refused(env, errno, request);
    }

    fn tell_refused(&self, env: &Env, errno: i32, request: &Request) -> Result<()> {
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
                    listener.tell(env, Event::Unsent, [&error]);
                    Ok(None)
                })?
            }
        };
        engine::call(env, &self.node.next_tick, [&listener, &error]).map(drop)
    }

    /// The kernel takes no more for now: it is short of memory, or descriptors have to be received first, maybe another process's.
    pub(super) fn retry_later(&self) {
        if let Some(key) = self.key.get()
            && self.retry_at.get().is_none()
        {
            self.retry_at.set(Some(Instant::now() + RETRY_DELAY));
            self.reactor.call_after(key, RETRY_DELAY);
            self.update_work();
        }
    }

    /// The end of a tick, or of a wait: writes what there is, and tells those who wait for it.
    pub(super) fn flush_and_tell(&self, env: &Env) {
        match self.flush() {
            Err(errno) => self.fail(env, errno),
            Ok(()) => {
                if self.writer.borrow().outbox.is_crowded() {
                    self.retry_later();
                } else {
                    let done = self.take_done();
                    self.settle_written(env, done);
                }
            }
        }
    }

    /// Has [`Channel::end_tick`] called at the end of this tick.
    pub(super) fn call_after_tick(&self, env: &Env, leaves: bool) -> Result<()> {
        let end_tick = self.node.functions(env)?.end_tick.get(env)?;
        let (number, leaves) =
            (engine::number(env, f64::from(self.number.get()))?, engine::boolean(env, leaves)?);
        engine::call(env, &self.node.next_tick, [&end_tick, &number, &leaves]).map(drop)
    }

    /// A tick has ended that has sent something or, where `leaves`, has called `disconnect()`.
    pub(super) fn end_tick(self: &Rc<Self>, env: &Env, leaves: bool) {
        if leaves {
            self.disconnect_if_due(env);
        } else {
            self.flush_and_tell(env);
        }
    }
}
