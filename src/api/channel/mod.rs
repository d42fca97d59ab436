//! One end of an IPC channel on the loop: `send()` writes into its outbox, the reactor reads its inbox.

mod callbacks;
mod class;
mod conversion;
mod counting;
mod decode;
mod delivering;
mod encode;
mod events;
mod handles;
mod leaving;
mod node;
mod receiving;
pub(super) mod registry;
mod sending;
mod serialization;
mod writing;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use napi::{Env, Result, Unknown};

use callbacks::Awaiting;
use counting::Sockets;
use events::{Event, Listener};
use handles::Received;
use leaving::Leaving;
pub(super) use node::Node;
use serialization::Serialization;

use crate::channel::Mode;
use crate::channel::ancillary::Room;
use crate::channel::inbox::Inbox;
use crate::channel::outbox::Outbox;
use crate::channel::shared::{Slots, Views};
use crate::channel::spin::Spin;
use crate::channel::word::Word;
use crate::engine::{self, Call, Held};
use crate::reactor::{Key, Reactor, Source, Turn};
use crate::sys;

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

/// Where the kernel takes no more for now, it is asked again after so long.
const RETRY_DELAY: Duration = Duration::from_millis(5);

/// How often slots are asked whether they are still used.
const SLOT_AGE: Duration = Duration::from_millis(50);

/// One end of a channel.
pub(super) struct Channel {
    node: Rc<Node>,
    reactor: Rc<Reactor>,
    mode: Mode,
    socket: RefCell<Option<OwnedFd>>,
    key: Cell<Option<Key>>,
    listener: RefCell<Option<Rc<Listener>>>,
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
    /// Who waits for messages to be written, in order.
    awaiting: RefCell<VecDeque<Awaiting>>,
    /// The function that is called at the end of a tick which has sent something.
    flush: RefCell<Option<Held>>,
    /// When the kernel is to be asked again for room.
    retry_at: Cell<Option<Instant>>,
    leaving: RefCell<Leaving>,
    /// The sockets of servers.
    sockets: Sockets,
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
    /// When the slots are asked for their age.
    age_at: Cell<Option<Instant>>,
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
    fn open(
        node: &Rc<Node>,
        reactor: &Rc<Reactor>,
        listener: Listener,
        fd: RawFd,
        Settings { mode, spin, limit }: Settings,
    ) -> io::Result<Rc<Self>> {
        let channel = Rc::new(Self {
            node: Rc::clone(node),
            reactor: Rc::clone(reactor),
            mode,
            key: Cell::default(),
            listener: RefCell::new(Some(Rc::new(listener))),
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
            awaiting: RefCell::default(),
            flush: RefCell::default(),
            retry_at: Cell::default(),
            leaving: RefCell::default(),
            sockets: Sockets::default(),
            is_deaf: Cell::default(),
            is_native: Cell::default(),
            secret: RefCell::default(),
            slots: RefCell::default(),
            views: RefCell::default(),
            is_unwatched: Cell::default(),
            age_at: Cell::default(),
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

    /// The loop waits for a channel that is referenced, for what is to be written, and for handles that arrive before the end.
    fn update_retention(&self) {
        let wanted = match self.phase.get() {
            Phase::Open => {
                let awaits_handles = matches!(&*self.leaving.borrow(), Leaving::ForHandles);
                self.referenced.get() || self.is_full.get() || self.retry_at.get().is_some() || awaits_handles
            }
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

    fn node(&self) -> &Node {
        &self.node
    }

    /// The function that writes what a tick has sent.
    fn flush_function<'a>(self: &Rc<Self>, env: &'a Env) -> Result<Unknown<'a>> {
        if let Some(flush) = &*self.flush.borrow() {
            return flush.get(env);
        }
        // It is kept by this channel, which it does not keep.
        let channel = Rc::downgrade(self);
        let flush = engine::function(env, move |env, _: &Call<0>| {
            if let Some(channel) = channel.upgrade() {
                channel.flush_and_tell(env);
            }
            Ok(None)
        })?;
        self.flush.replace(Some(Held::new(env, &flush)?));
        Ok(flush)
    }

    /// Slots that nobody uses for long are given up.
    fn watch_age(&self) {
        if let Some(key) = self.key.get()
            && self.age_at.get().is_none()
        {
            self.age_at.set(Some(Instant::now() + SLOT_AGE));
            self.reactor.call_after(key, SLOT_AGE);
        }
    }

    /// The kernel may take more by now.
    fn retry(&self, env: &Env) {
        self.retry_at.set(None);
        self.update_retention();
        self.flush_and_tell(env);
    }

    fn age(&self) {
        self.age_at.set(None);
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
        let is_due = |at: &Cell<Option<Instant>>| at.get().is_some_and(|at| at <= Instant::now());
        if is_due(&self.0.retry_at) {
            self.0.retry(env);
        }
        if is_due(&self.0.age_at) {
            self.0.age();
        }
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
