//! The end of a channel: asked for by this end, or because the other one is gone.

use std::rc::Rc;
use std::time::Instant;

use napi::{Env, Result};

use super::events::{Event, Listener};
use super::{Channel, Phase, registry};
use crate::channel::reader::Delivery;
use crate::engine;
use crate::reactor::Callback;

/// How far `disconnect()` has got.
#[derive(Default)]
pub(super) enum Leaving {
    /// Nobody has called it.
    #[default]
    No,
    /// The handles that were sent arrive first.
    ForHandles,
    /// What is being delivered is delivered first. Then JavaScript hears of it, in the async context of the call.
    ForDelivery(Rc<Listener>, Callback),
}

impl Channel {
    /// Ends the channel, once the handles that were sent have arrived. `is_delivering`: JavaScript still delivers what it was told of,
    /// and calls this again after it. `true`: no handle is waited for.
    ///
    /// # Errors
    /// An N-API failure.
    pub(super) fn disconnect(self: &Rc<Self>, env: &Env, is_delivering: bool) -> Result<bool> {
        if !matches!(&*self.leaving.borrow(), Leaving::ForDelivery(..)) {
            if !self.reader.is_deaf() && self.writer.borrow().outbox.has_handles() {
                self.leaving.replace(Leaving::ForHandles);
                self.update_work();
                return Ok(false);
            }
            self.leave(env)?;
        }
        if !is_delivering && self.reader.delivery.get() == Delivery::Last {
            self.call_after_tick(env, true)?;
        }
        Ok(true)
    }

    /// Ends the channel when [`Channel::disconnect_if_due`] is called.
    ///
    /// # Errors
    /// An N-API failure.
    pub(super) fn leave(&self, env: &Env) -> Result<()> {
        if let Some(listener) = self.listener.borrow().clone() {
            let context = listener.context(env)?;
            self.leaving.replace(Leaving::ForDelivery(listener, context));
            self.update_work();
        }
        Ok(())
    }

    /// Ends the channel if that was asked for. Says whether it was.
    pub(super) fn disconnect_if_due(self: &Rc<Self>, env: &Env) -> bool {
        let leaving = self.leaving.take();
        let Leaving::ForDelivery(listener, context) = leaving else {
            self.leaving.replace(leaving);
            return false;
        };
        self.close();
        self.close_lingering(env);
        listener.tell_in(env, &context, Event::Disconnect, []);
        self.answer_all(env, &context);
        // An error takes time to make.
        if !self.awaiting.borrow().is_empty()
            && let Ok(node) = self.node.context(env)
        {
            self.settle_failed(env, &engine::thrown(env, node.channel_closed()));
        }
        if self.is_closed() {
            registry::forget(self);
        }
        true
    }

    /// No message will come any more.
    pub(super) fn tell_end(self: &Rc<Self>, env: &Env) {
        if self.disconnect_if_due(env) {
            return;
        }
        let is_partial = self.reader.inbox.borrow().is_partial();
        if let Ok(is_partial) = engine::boolean(env, is_partial) {
            self.tell(env, Event::End, [&is_partial]);
        }
    }

    /// Nothing more is delivered, and the socket is closed as soon as all is written.
    pub(super) fn close(&self) {
        if self.phase.get() != Phase::Open {
            return;
        }
        self.phase.set(Phase::Closing { progress: Instant::now() });
        self.listener.take();
        self.writer.borrow_mut().outbox.handles.wait_no_more();
        if self.write_unless_full().is_err() || self.is_all_sent() {
            self.finish();
        } else {
            self.watch_age();
            self.update_work();
        }
    }

    /// Whether all is written, and nothing is left in shared memory that the other end has not taken.
    pub(super) fn is_all_sent(&self) -> bool {
        self.writer.borrow().outbox.is_empty() && self.slots.borrow().under_way() == 0
    }

    /// Lets go of everything.
    pub(super) fn finish(&self) {
        self.phase.set(Phase::Closed);
        if let Some(key) = self.key.take() {
            self.reactor.forget(key);
        }
        self.socket.take();
        self.listener.take();
        self.writer.borrow_mut().outbox.clear();
        self.reader.descriptors.borrow_mut().keep(0);
        self.slots.borrow_mut().clear();
        self.views.borrow_mut().clear();
        self.update_work();
    }
}
