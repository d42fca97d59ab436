//! Closing a channel: by `disconnect()`, or because the other end is gone.

use std::rc::Rc;
use std::time::Instant;

use napi::{Env, Result};

use super::events::{Event, Listener};
use super::{Channel, Phase};
use crate::channel::reader::Delivery;
use crate::engine;
use crate::reactor::Callback;

/// The progress of `disconnect()`.
#[derive(Default)]
pub(super) enum Disconnecting {
    /// It has not been called.
    #[default]
    No,
    /// It waits until the handles that were sent have arrived.
    AwaitingHandles,
    /// It waits until the current messages have been delivered. Then it calls the listener, in the async context of
    /// the call of `disconnect()`.
    AwaitingDelivery(Rc<Listener>, Callback),
}

impl Channel {
    /// Closes the channel once the handles that were sent have arrived. `is_delivering`: JavaScript is still
    /// delivering messages, and will call this again afterwards. Returns `false` if it waits for handles.
    ///
    /// # Errors
    /// An N-API failure.
    pub(super) fn disconnect(self: &Rc<Self>, env: &Env, is_delivering: bool) -> Result<bool> {
        if !matches!(&*self.disconnecting.borrow(), Disconnecting::AwaitingDelivery(..)) {
            if !self.reader.has_stopped() && self.writer.borrow().outbox.has_handles() {
                self.disconnecting.replace(Disconnecting::AwaitingHandles);
                self.update_work();
                return Ok(false);
            }
            self.disconnect_after_delivery(env)?;
        }
        if !is_delivering && self.reader.delivery.get() == Delivery::Last {
            self.call_after_tick(env, true)?;
        }
        Ok(true)
    }

    /// Has the next call of [`Channel::disconnect_if_due`] close the channel.
    ///
    /// # Errors
    /// An N-API failure.
    pub(super) fn disconnect_after_delivery(&self, env: &Env) -> Result<()> {
        if let Some(listener) = self.listener.borrow().clone() {
            let context = listener.context(env)?;
            self.disconnecting.replace(Disconnecting::AwaitingDelivery(listener, context));
            self.update_work();
        }
        Ok(())
    }

    /// Closes the channel if `disconnect()` is ready for that. Returns whether it was.
    pub(super) fn disconnect_if_due(self: &Rc<Self>, env: &Env) -> bool {
        let disconnecting = self.disconnecting.take();
        let Disconnecting::AwaitingDelivery(listener, context) = disconnecting else {
            self.disconnecting.replace(disconnecting);
            return false;
        };
        self.close();
        self.close_lingering(env);
        listener.emit_in(env, &context, Event::Disconnect, []);
        self.answer_all(env, &context);
        // Creating an error takes time, so do it only if it is needed.
        if !self.awaiting.borrow().is_empty()
            && let Ok(node) = self.node.context(env)
        {
            self.settle_failed(env, &engine::thrown(env, node.channel_closed()));
        }
        self.forget_if_closed();
        true
    }

    /// No message will come any more: reports the end.
    pub(super) fn emit_end(self: &Rc<Self>, env: &Env) {
        if self.disconnect_if_due(env) {
            return;
        }
        let is_partial = self.reader.inbox.borrow().is_partial();
        if let Ok(is_partial) = engine::boolean(env, is_partial) {
            self.emit(env, Event::End, [&is_partial]);
        }
    }

    /// Stops delivering, and closes the socket as soon as everything has been written.
    pub(super) fn close(&self) {
        if self.phase.get() != Phase::Open {
            return;
        }
        self.phase.set(Phase::Closing { progress: Instant::now() });
        self.listener.take();
        self.writer.borrow_mut().outbox.handles.stop_waiting();
        if self.write_unless_full().is_err() || self.is_all_sent() {
            self.finish();
        } else {
            self.schedule_housekeeping();
            self.update_work();
        }
    }

    /// Whether everything has been written, and the other end has copied everything out of shared memory.
    pub(super) fn is_all_sent(&self) -> bool {
        self.writer.borrow().outbox.is_empty() && self.slots.borrow().under_way() == 0
    }

    /// Closes the socket and frees everything.
    pub(super) fn finish(&self) {
        self.phase.set(Phase::Closed);
        self.socket.take();
        self.listener.take();
        self.writer.borrow_mut().outbox.clear();
        self.reader.descriptors.borrow_mut().keep(0);
        self.slots.borrow_mut().clear();
        self.views.borrow_mut().clear();
        self.update_work();
    }
}
