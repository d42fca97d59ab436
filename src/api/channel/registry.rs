//! The open channels of this thread.
//!
//! The list is never dropped: messages that were sent just before the process exits are written in an `atexit` hook,
//! and the destructors of thread-local variables run before that.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Once;
use std::time::Instant;

use super::{CLOSE_TIMEOUT, Channel};
use crate::{engine, sys};

thread_local! {
    static CHANNELS: ManuallyDrop<RefCell<Vec<Rc<Channel>>>> = ManuallyDrop::default();
}

pub(super) fn add(channel: Rc<Channel>) {
    static AT_EXIT: Once = Once::new();
    AT_EXIT.call_once(|| sys::at_exit(write_all_out));
    CHANNELS.with(|channels| channels.borrow_mut().push(channel));
}

pub(super) fn forget(channel: &Rc<Channel>) {
    CHANNELS.with(|channels| channels.borrow_mut().retain(|other| !Rc::ptr_eq(other, channel)));
}

/// Writes what this tick has sent on any channel, because this thread is about to block. A failure is reported at the
/// end of the tick.
pub(in crate::api) fn flush_all() {
    CHANNELS.with(|channels| {
        for channel in channels.borrow().iter() {
            channel.write_or_keep_failure();
        }
    });
}

extern "C" fn write_all_out() {
    // JavaScript has ended, so there is nobody to report a panic to.
    let _ = engine::caught(|| {
        CHANNELS.with(|channels| {
            let channels = channels.borrow().clone();
            let deadline = Instant::now() + CLOSE_TIMEOUT;
            for channel in channels {
                channel.write_out(deadline);
            }
        });
    });
}
