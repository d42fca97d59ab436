//! The open channels of this thread, by the number that JavaScript has of each.
//!
//! They outlive the thread's other variables: what was sent just before the process exits is written when JavaScript is
//! over, and destructors of a thread's variables run earlier.

use std::cell::RefCell;
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Once;
use std::time::Instant;

use super::{Channel, LAST_PATIENCE};
use crate::{engine, sys};

#[derive(Default)]
struct Registry {
    channels: HashMap<u32, Rc<Channel>>,
    last: u32,
}

thread_local! {
    static REGISTRY: ManuallyDrop<RefCell<Registry>> = ManuallyDrop::default();
}

/// Gives a channel its number, which no other one has had.
pub(super) fn add(channel: Rc<Channel>) -> u32 {
    static AT_EXIT: Once = Once::new();
    AT_EXIT.call_once(|| sys::at_exit(write_all_out));
    REGISTRY.with(|registry| {
        let mut registry = registry.borrow_mut();
        registry.last += 1;
        let number = registry.last;
        registry.channels.insert(number, channel);
        number
    })
}

pub(super) fn find(number: u32) -> Option<Rc<Channel>> {
    REGISTRY.with(|registry| registry.borrow().channels.get(&number).cloned())
}

pub(super) fn forget(channel: &Rc<Channel>) {
    REGISTRY.with(|registry| registry.borrow_mut().channels.retain(|_, other| !Rc::ptr_eq(other, channel)));
}

/// Writes what this tick has sent on any channel: this thread is about to wait for something else.
pub(in crate::api) fn flush_all() {
    REGISTRY.with(|registry| {
        for channel in registry.borrow().channels.values() {
            // A failure shows again at the end of the tick.
            let _ = channel.write_unless_full();
        }
    });
}

extern "C" fn write_all_out() {
    // JavaScript is over: nobody is there to be told of a panic.
    let _ = engine::caught(|| {
        REGISTRY.with(|registry| {
            let channels: Vec<_> = registry.borrow().channels.values().cloned().collect();
            let deadline = Instant::now() + LAST_PATIENCE;
            for channel in channels {
                channel.write_out(deadline);
            }
        });
    });
}
