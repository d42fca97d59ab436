//! One end of an IPC channel on the event loop: `send()` appends to its outbox, and the reactor calls it to fill its
//! inbox.

mod callbacks;
mod class;
mod conversion;
mod counting;
mod decode;
mod delivering;
mod disconnecting;
mod encode;
mod events;
mod functions;
mod handles;
mod node;
mod receiving;
pub(super) mod registry;
mod sending;
mod serialization;
mod writing;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use napi::{Env, Error};

use callbacks::Awaiting;
pub(super) use class::{class, create};
use counting::Sockets;
use disconnecting::Disconnecting;
use events::{Event, Listener};
use handles::Received;
pub(super) use node::Node;
use serialization::Serialization;

use crate::channel::Mode;
use crate::channel::ancillary::Room;
use crate::channel::peer::Peer;
use crate::channel::reader::{ReadState, Reader};
use crate::channel::shared::{Slots, Views};
use crate::channel::spin::Spin;
use crate::channel::word::Word;
use crate::channel::writer::Writer;
use crate::reactor::{KeepAlive, Reactor, Registration, Source, Turn, Work};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Nothing more is accepted for sending or delivered, but queued messages are still written. `progress`: when the
    /// last of these were written.
    Closing {
        progress: Instant,
    },
    Closed,
}

/// The options of an end.
#[derive(Clone, Copy)]
pub(super) struct Settings {
    pub mode: Mode,
    /// How long to poll for a quick answer.
    pub spin: Duration,
    /// The longest message that is accepted, bytes.
    pub limit: usize,
}

/// The interval of [`Channel::housekeep`].
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_millis(50);

/// One end of a channel.
pub(super) struct Channel {
    node: Rc<Node>,
    reactor: Rc<Reactor>,
    mode: Mode,
    socket: RefCell<Option<Registration<OwnedFd>>>,
    listener: RefCell<Option<Rc<Listener>>>,
    phase: Cell<Phase>,
    disconnecting: RefCell<Disconnecting>,
    peer: RefCell<Peer>,
    writer: RefCell<Writer>,
    reader: Reader,
    keep_alive: KeepAlive<Reactor>,
    /// Shared memory for large messages: this end's slots, and the other end's.
    slots: RefCell<Slots>,
    views: RefCell<Views>,
    /// The callbacks of messages that have not been written, in order.
    awaiting: RefCell<VecDeque<Awaiting>>,
    /// JavaScript passes this number to the functions in `functions.rs`.
    number: Cell<u32>,
    /// The received handles.
    received: Received,
    /// Counts servers' sockets.
    sockets: Sockets,
    /// When writing is to be retried.
    retry_at: Cell<Option<Instant>>,
    /// When [`Channel::housekeep`] is to be called.
    housekeeping_at: Cell<Option<Instant>>,
}

impl Channel {
    /// A channel that has no socket yet.
    fn new(
        node: &Rc<Node>,
        reactor: &Rc<Reactor>,
        listener: Listener,
        Settings { mode, spin, limit }: Settings,
    ) -> Rc<Self> {
        Rc::new(Self {
            node: Rc::clone(node),
            reactor: Rc::clone(reactor),
            mode,
            socket: RefCell::default(),
            listener: RefCell::new(Some(Rc::new(listener))),
            phase: Cell::new(Phase::Open),
            disconnecting: RefCell::default(),
            peer: RefCell::default(),
            writer: RefCell::default(),
            reader: Reader::new(mode, limit, Spin::new(spin)),
            keep_alive: KeepAlive::new(Rc::clone(reactor)),
            slots: RefCell::default(),
            views: RefCell::default(),
            awaiting: RefCell::default(),
            number: Cell::default(),
            received: Received::default(),
            sockets: Sockets::default(),
            retry_at: Cell::default(),
            housekeeping_at: Cell::default(),
        })
    }

    /// Opens it on a socket. If that fails, the channel is closed, and the socket is returned.
    ///
    /// # Errors
    /// `ENOMEM`, `ENOSPC` (`epoll_ctl(2)`).
    pub fn open(self: &Rc<Self>, env: &Env, socket: OwnedFd) -> std::result::Result<(), (Error, OwnedFd)> {
        let source = Rc::new(SocketSource(Rc::clone(self)));
        let socket = self.reactor.register(socket, Turn::WithIo, source).map_err(|(error, socket)| {
            self.finish();
            (self.node.channel_error(env, &error), socket)
        })?;
        self.socket.replace(Some(socket));
        registry::add(Rc::clone(self));
        Ok(())
    }

    /// Closes it at once, and reports no event.
    pub fn abandon(self: &Rc<Self>) {
        self.finish();
        registry::forget(self);
    }

    /// Whether it keeps the event loop alive. A new channel does not.
    pub fn set_referenced(&self, is_referenced: bool) {
        self.keep_alive.set_referenced(is_referenced);
    }

    /// Has the reactor call this end when the socket is readable, or writable if it is full now.
    fn watch(&self) -> io::Result<()> {
        let socket = self.socket.borrow();
        socket.as_ref().map_or(Ok(()), |socket| socket.reregister(self.writer.borrow().is_full()))
    }

    /// Updates whether this channel keeps the event loop alive: it does while there is something to write, or while
    /// `disconnect()` waits for handles to arrive.
    fn update_work(&self) {
        let awaits_handles = matches!(&*self.disconnecting.borrow(), Disconnecting::AwaitingHandles);
        let is_pending = awaits_handles || self.writer.borrow().is_full() || self.retry_at.get().is_some();
        self.keep_alive.set_work(match self.phase.get() {
            Phase::Open if !is_pending => Work::Possible,
            Phase::Open | Phase::Closing { .. } => Work::Pending,
            Phase::Closed => Work::Over,
        });
    }

    pub fn fd(&self) -> i32 {
        self.socket.borrow().as_ref().map_or(-libc::EINVAL, |socket| socket.as_fd().as_raw_fd())
    }

    fn node(&self) -> &Node {
        &self.node
    }

    /// Has [`Channel::housekeep`] called soon.
    fn schedule_housekeeping(&self) {
        if let Some(socket) = &*self.socket.borrow()
            && self.housekeeping_at.get().is_none()
        {
            self.housekeeping_at.set(Some(Instant::now() + HOUSEKEEPING_INTERVAL));
            self.reactor.call_after(socket, HOUSEKEEPING_INTERVAL);
        }
    }

    /// Retries writing.
    fn retry(&self, env: &Env) {
        self.retry_at.set(None);
        self.update_work();
        self.flush_and_report(env);
    }

    /// Does what is due at intervals: frees unused slots, sends missed handles again, and gives up a closing channel
    /// that makes no progress.
    fn housekeep(&self) {
        self.housekeeping_at.set(None);
        if let Phase::Closing { progress } = self.phase.get()
            && (progress.elapsed() > CLOSE_TIMEOUT || self.write_unless_full().is_err() || self.is_all_sent())
        {
            self.finish();
            return;
        }
        let freed = self.slots.borrow_mut().age();
        for slot in freed {
            self.send_word(&Word::Forget { slot });
        }
        self.repeat_missed();
        let has_slots = !self.slots.borrow().is_empty();
        let is_closing = matches!(self.phase.get(), Phase::Closing { .. });
        if has_slots || is_closing || self.writer.borrow().outbox.has_missed() {
            self.schedule_housekeeping();
        }
    }

    /// Drops the registry's reference to a channel that is closed.
    fn forget_if_closed(self: &Rc<Self>) {
        if self.phase.get() == Phase::Closed {
            registry::forget(self);
        }
    }
}

thread_local! {
    /// The buffer for the descriptors of one read.
    static ROOM: RefCell<Room> = RefCell::default();
}

/// How long a closing channel, or an exiting process, waits for the other end to read more of what was sent.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

struct SocketSource(Rc<Channel>);

impl Source for SocketSource {
    fn ready(&self, env: &Env, is_over: bool) {
        self.0.advance(env, is_over);
        self.0.after_read(env);
        self.0.forget_if_closed();
    }

    fn try_ready(&self, env: &Env) -> bool {
        let has_come = self.0.advance_if_ready(env);
        self.0.after_read(env);
        self.0.forget_if_closed();
        has_come
    }

    fn elapsed(&self, env: &Env) {
        let is_due = |at: &Cell<Option<Instant>>| at.get().is_some_and(|at| at <= Instant::now());
        if is_due(&self.0.retry_at) {
            self.0.retry(env);
        }
        if is_due(&self.0.housekeeping_at) {
            self.0.housekeep();
        }
        let state = &self.0.reader.state;
        if state.get() == ReadState::RetryLater {
            state.set(ReadState::Watching);
            self.ready(env, false);
        }
        self.0.forget_if_closed();
    }

    fn shut_down(&self) {
        self.0.write_out(Instant::now() + CLOSE_TIMEOUT);
        self.0.finish();
        registry::forget(&self.0);
    }
}
