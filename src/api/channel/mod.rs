//! One end of an IPC channel on the loop: `send()` writes into its outbox, the reactor reads its inbox.

mod decode;
mod delivering;
mod encode;
mod functions;
mod handles;
mod receiving;
pub(super) mod registry;
mod sending;
mod serialization;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use napi::{Env, Result, Unknown};

use encode::Form;
pub(super) use handles::Hooks as HandleHooks;
use handles::Received;
pub(super) use serialization::Serialization;

use crate::channel::Mode;
use crate::channel::ancillary::Room;
use crate::channel::inbox::Inbox;
use crate::channel::outbox::Outbox;
use crate::channel::shared::{Slots, Views};
use crate::channel::spin::Spin;
use crate::channel::word::Word;
use crate::engine::{self, Callable, Held};
use crate::reactor::{Callback, Key, Reactor, Source, Turn};
use crate::sys;

/// The functions of `lib/link.js` that are called from here; the first ones on the object given to `openChannel`.
pub(super) struct Hooks {
    /// Messages have come; gets an array of them. Here and below a second argument is the key of what was missing until now.
    pub on_messages: Held,
    /// An internal message has come.
    pub on_internal: Held,
    pub handles: HandleHooks,
    /// Something that has been announced has not come, and what comes from now on waits for it; gets its key.
    pub on_missing: Held,
    /// What is missing under this key will not come any more.
    pub on_lost: Held,
    /// The other end is gone. `true`: in the middle of a message.
    pub on_end: Held,
    /// What came is no message; gets the error, a sentence that says how the protocol was broken, or nothing for a message that is
    /// too long.
    pub on_broken: Held,
    /// So many of the awaited messages are written.
    pub on_written: Held,
    /// Writing has failed, with this negative errno.
    pub on_failed: Held,
    pub parse: Held,
    pub serialization: Serialization,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Nothing more is sent or told; what is unwritten is still written.
    Closing,
    Closed,
}

/// When what is sent gets written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Corked {
    /// At once.
    No,
    /// At the end of the tick, which has written already.
    ForTick,
    /// At once: it is the first answer to the one message that is being delivered.
    AfterFirst,
    /// After the messages that are being delivered, or when there is much.
    ForDelivery,
}

/// What an end is opened with.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub mode: Mode,
    /// How long to look for a quick answer.
    pub spin: Duration,
    /// The longest message, bytes.
    pub limit: usize,
}

/// How often slots are asked whether they are still used.
const SLOT_AGE: Duration = Duration::from_millis(50);

/// One end of a channel.
pub(super) struct Channel {
    hooks: Rc<Hooks>,
    reactor: Rc<Reactor>,
    mode: Mode,
    socket: RefCell<Option<OwnedFd>>,
    key: Cell<Option<Key>>,
    callback: RefCell<Option<Rc<Callback>>>,
    inbox: RefCell<Inbox>,
    outbox: RefCell<Outbox>,
    spin: RefCell<Spin>,
    phase: Cell<Phase>,
    corked: Cell<Corked>,
    /// Since the end was asked for: when something was last written.
    closing: Cell<Option<Instant>>,
    /// Why writing has failed, where JavaScript has not been told yet.
    untold: Cell<Option<i32>>,
    /// Why writing has failed, for good.
    failure: Cell<Option<i32>>,
    /// The socket takes nothing more for now.
    is_full: Cell<bool>,
    /// How many more messages of this tick are written at once.
    at_once: Cell<u32>,
    /// When something was last written, by the coarse clock.
    clock: Cell<u64>,
    /// Since when answers have waited for the end of the delivery.
    waiting_since: Cell<Option<Instant>>,
    /// Whether a message that nobody awaits, and whose failure somebody wants to hear of, waits for its first attempt.
    is_unheard: Cell<bool>,
    /// Whether such an attempt has failed.
    has_lost: Cell<bool>,
    /// Whether anything has been sent since this was last reset.
    has_sent: Cell<bool>,
    /// Whether messages that have come are left for when those are delivered that are being delivered.
    has_more: Cell<bool>,
    /// Whether JavaScript has asked for the end while messages were delivered.
    ends_after_delivery: Cell<bool>,
    /// Whether what comes is no longer looked at: after the end, or a message that was too long.
    is_deaf: Cell<bool>,
    /// Whether the other end is known to be a native one.
    is_native: Cell<bool>,
    /// What a native end has to introduce itself with, until it has.
    secret: RefCell<Option<String>>,
    /// The shared memory that large messages are sent in, and that they come in.
    slots: RefCell<Slots>,
    views: RefCell<Views>,
    /// Whether the kernel could not be asked to tell of what has come: this end looks again a little later.
    is_unwatched: Cell<bool>,
    /// Whether the reactor tells of the slots' age.
    is_aging: Cell<bool>,
    /// Descriptors that have come, for messages still to be decoded.
    fds: RefCell<VecDeque<OwnedFd>>,
    /// Whether none of them is the message's that has begun to come: its own is missing.
    fds_are_later: Cell<bool>,
    /// The handles that have come.
    received: Received,
    /// Whether JavaScript wants the loop to wait for this channel.
    referenced: Cell<bool>,
    /// Whether the loop does wait for it.
    retained: Cell<bool>,
}

impl Channel {
    /// Begins to read the socket `fd`, and takes it over unless this fails.
    ///
    /// # Errors
    /// `EBADF`, `ENOMEM`, `ENOSPC` (`epoll_ctl(2)`).
    pub fn open(
        hooks: &Rc<Hooks>,
        reactor: &Rc<Reactor>,
        callback: Callback,
        fd: RawFd,
        Settings { mode, spin, limit }: Settings,
    ) -> io::Result<Rc<Self>> {
        let channel = Rc::new(Self {
            hooks: Rc::clone(hooks),
            reactor: Rc::clone(reactor),
            mode,
            key: Cell::default(),
            callback: RefCell::new(Some(Rc::new(callback))),
            inbox: RefCell::new(Inbox::new(mode, limit)),
            outbox: RefCell::default(),
            spin: RefCell::new(Spin::new(spin)),
            phase: Cell::new(Phase::Open),
            corked: Cell::new(Corked::No),
            closing: Cell::default(),
            untold: Cell::default(),
            failure: Cell::default(),
            is_full: Cell::default(),
            at_once: Cell::default(),
            clock: Cell::default(),
            waiting_since: Cell::default(),
            is_unheard: Cell::default(),
            has_lost: Cell::default(),
            has_sent: Cell::default(),
            has_more: Cell::default(),
            ends_after_delivery: Cell::default(),
            is_deaf: Cell::default(),
            is_native: Cell::default(),
            secret: RefCell::default(),
            slots: RefCell::default(),
            views: RefCell::default(),
            is_unwatched: Cell::default(),
            is_aging: Cell::default(),
            fds: RefCell::default(),
            fds_are_later: Cell::default(),
            received: Received::default(),
            referenced: Cell::default(),
            retained: Cell::default(),
            socket: RefCell::default(),
        });
        let source = Rc::new(SocketSource(Rc::clone(&channel)));
        channel.key.set(Some(reactor.add(fd, Turn::WithIo, source)?));
        channel.socket.replace(Some(sys::adopt(fd)?));
        Ok(channel)
    }

    /// Is called when there is something to read, or room to write where that is waited for.
    fn watch(&self) -> io::Result<()> {
        match (self.key.get(), &*self.socket.borrow()) {
            (Some(key), Some(socket)) => {
                self.reactor.watch_again(key, socket.as_raw_fd(), self.is_full.get())
            }
            _ => Ok(()),
        }
    }

    /// The loop waits for a channel that is referenced, and for what is to be written.
    fn update_retention(&self) {
        let wanted = match self.phase.get() {
            Phase::Open => self.referenced.get() || self.is_full.get(),
            Phase::Closing => true,
            Phase::Closed => false,
        };
        self.reactor.set_retained(&self.retained, wanted);
    }

    pub fn set_referenced(&self, referenced: bool) {
        self.referenced.set(referenced);
        self.update_retention();
    }

    pub fn has_ref(&self) -> bool {
        self.phase.get() != Phase::Closed && self.referenced.get()
    }

    pub fn fd(&self) -> i32 {
        self.socket.borrow().as_ref().map_or(-libc::EINVAL, AsRawFd::as_raw_fd)
    }

    /// Ends the channel: nothing more is delivered, and the socket is closed as soon as all is written.
    pub fn close(&self) {
        if self.phase.get() != Phase::Open {
            return;
        }
        self.phase.set(Phase::Closing);
        self.callback.take();
        self.outbox.borrow_mut().handles.wait_no_more();
        if self.write_unless_full().is_err() || self.is_all_sent() {
            self.finish();
        } else {
            self.closing.set(Some(Instant::now()));
            self.watch_age();
            self.update_retention();
        }
    }

    /// Whether all is written, and nothing is left in shared memory that the other end has not taken.
    fn is_all_sent(&self) -> bool {
        self.outbox.borrow().is_empty() && self.slots.borrow().under_way() == 0
    }

    /// Lets go of everything.
    fn finish(&self) {
        self.phase.set(Phase::Closed);
        if let Some(key) = self.key.take() {
            self.reactor.remove(key);
        }
        self.socket.take();
        self.callback.take();
        self.outbox.borrow_mut().clear();
        self.fds.borrow_mut().clear();
        self.slots.borrow_mut().clear();
        self.views.borrow_mut().clear();
        self.update_retention();
    }

    /// Slots that nobody uses for long are given up.
    fn watch_age(&self) {
        if let Some(key) = self.key.get()
            && !self.is_aging.replace(true)
        {
            self.reactor.call_after(key, SLOT_AGE);
        }
    }

    fn age(&self) {
        self.is_aging.set(false);
        if let Some(progress) = self.closing.get()
            && (progress.elapsed() > LAST_PATIENCE || self.write_unless_full().is_err() || self.is_all_sent())
        {
            self.finish();
            return;
        }
        let given_up = self.slots.borrow_mut().age();
        for slot in given_up {
            self.send_word(&Word::Forget { slot });
        }
        self.repeat_missed();
        let has_slots = !self.slots.borrow().is_empty();
        if has_slots || self.outbox.borrow().has_missed() || self.phase.get() == Phase::Closing {
            self.watch_age();
        }
    }

    pub fn is_closed(&self) -> bool {
        self.phase.get() == Phase::Closed
    }
}

thread_local! {
    /// Room for the descriptors of one read.
    static ROOM: RefCell<Room> = RefCell::default();
}

/// A closed channel, and one of a process that exits, gives the other end so long to read some more of what was sent before.
const LAST_PATIENCE: Duration = Duration::from_secs(5);

/// `write(message, form | AWAITED)`, the native part of `send()`; without arguments it is `flush()`.
impl Callable for Channel {
    fn call(&self, env: &Env, [message, how]: [Unknown; 2]) -> Result<Option<i32>> {
        /// Beside the form: somebody waits for the message to be written.
        const AWAITED: u32 = 8;
        /// Nobody does, but a failure is to be told.
        const UNHEARD: u32 = 16;
        let Ok(how) = engine::to_u32(env, &how) else {
            return Ok(self.flush().code());
        };
        if how & UNHEARD != 0 && !self.is_full.get() {
            self.is_unheard.set(true);
        }
        let form = Form::from_number(how & !(AWAITED | UNHEARD));
        Ok(self.send(env, &message, form, how & AWAITED != 0)?.code())
    }
}

struct SocketSource(Rc<Channel>);

impl Source for SocketSource {
    fn ready(&self, env: &Env, is_over: bool) {
        self.0.advance(env, is_over);
        self.0.settle_handles(env);
        if self.0.is_closed() {
            registry::forget(&self.0);
        }
    }

    fn look(&self, env: &Env) -> bool {
        let has_come = self.0.advance_if_ready(env);
        self.0.settle_handles(env);
        if self.0.is_closed() {
            registry::forget(&self.0);
        }
        has_come
    }

    fn elapsed(&self, env: &Env) {
        self.0.age();
        if self.0.is_unwatched.take() {
            self.ready(env, false);
        }
        if self.0.is_closed() {
            registry::forget(&self.0);
        }
    }

    fn shut_down(&self) {
        self.0.write_out(Instant::now() + LAST_PATIENCE);
        self.0.finish();
        registry::forget(&self.0);
    }
}
