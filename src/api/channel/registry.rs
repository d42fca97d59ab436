//! The open channels of this thread.
//!
//! They outlive the thread's other variables: what was sent just before the process exits is written when JavaScript is
//! over, and destructors of a thread's variables run earlier.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Once;
use std::time::Instant;

use super::{Channel, LAST_PATIENCE};
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

/// Writes what this tick has sent on any channel: this thread is about to wait for something else.
pub(in crate::api) fn flush_all() {
    CHANNELS.with(|channels| {
        for channel in channels.borrow().iter() {
            // A failure shows again at the end of the tick.
            let _ = channel.write_unless_full();
        }
    });
}

extern "C" fn write_all_out() {
    // JavaScript is over: nobody is there to be told of a panic.
    let _ = engine::caught(|| {
        CHANNELS.with(|channels| {
            let channels = channels.borrow().clone();
            let deadline = Instant::now() + LAST_PATIENCE;
            for channel in channels {
                channel.write_out(deadline);
            }
        });
    });
}
