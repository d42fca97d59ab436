//! One end of an IPC channel on the loop: `send()` writes into its outbox, the reactor reads its inbox.

mod callbacks;
mod class;
mod conversion;
mod counting;
mod decode;
mod delivering;
mod encode;
mod events;
mod functions;
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

use napi::Env;

use callbacks::Awaiting;
use counting::Sockets;
use events::{Event, Listener};
use handles::Received;
use leaving::Leaving;
pub(super) use node::Node;
use serialization::Serialization;

use crate::channel::Mode;
use crate::channel::ancillary::Room;
use crate::channel::peer::Peer;
use crate::channel::reader::{Attention, Reader};
use crate::channel::shared::{Slots, Views};
use crate::channel::spin::Spin;
use crate::channel::word::Word;
use crate::channel::writer::Writer;
use crate::reactor::{KeepAlive, Key, Reactor, Source, Turn, Work};
use crate::sys;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Nothing more is sent or told; what is unwritten is still written. When some of it last was.
    Closing {
        progress: Instant,
    },
    Closed,
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
    phase: Cell<Phase>,
    leaving: RefCell<Leaving>,
    peer: RefCell<Peer>,
    writer: RefCell<Writer>,
    reader: Reader,
    keep_alive: KeepAlive<Reactor>,
    /// The shared memory that large messages are sent in, and that they come in.
    slots: RefCell<Slots>,
    views: RefCell<Views>,
    /// Who waits for messages to be written, in order.
    awaiting: RefCell<VecDeque<Awaiting>>,
    /// What JavaScript calls it by.
    number: Cell<u32>,
    /// The handles that have come.
    received: Received,
    /// The sockets of servers.
    sockets: Sockets,
    /// When the kernel is to be asked again for room.
    retry_at: Cell<Option<Instant>>,
    /// When the slots are asked for their age.
    age_at: Cell<Option<Instant>>,
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
            socket: RefCell::default(),
            key: Cell::default(),
            listener: RefCell::new(Some(Rc::new(listener))),
            phase: Cell::new(Phase::Open),
            leaving: RefCell::default(),
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
            age_at: Cell::default(),
        });
        let source = Rc::new(SocketSource(Rc::clone(&channel)));
        channel.key.set(Some(reactor.register(fd, Turn::WithIo, source)?));
        channel.socket.replace(Some(sys::adopt(fd)?));
        Ok(channel)
    }

    /// Is called when there is something to read, or room to write where that is waited for.
    fn watch(&self) -> io::Result<()> {
        match (self.key.get(), &*self.socket.borrow()) {
            (Some(key), Some(socket)) => {
                self.reactor.reregister(key, socket.as_raw_fd(), self.writer.borrow().is_full())
            }
            _ => Ok(()),
        }
    }

    /// Tells what keeps the loop alive: what is to be written, and handles that arrive before the end.
    fn update_work(&self) {
        let awaits_handles = matches!(&*self.leaving.borrow(), Leaving::ForHandles);
        let is_pending = awaits_handles || self.writer.borrow().is_full() || self.retry_at.get().is_some();
        self.keep_alive.set_work(match self.phase.get() {
            Phase::Open if !is_pending => Work::Possible,
            Phase::Open | Phase::Closing { .. } => Work::Pending,
            Phase::Closed => Work::Over,
        });
    }

    pub fn fd(&self) -> i32 {
        self.socket.borrow().as_ref().map_or(-libc::EINVAL, AsRawFd::as_raw_fd)
    }

    fn node(&self) -> &Node {
        &self.node
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
        self.update_work();
        self.flush_and_tell(env);
    }

    fn age(&self) {
        self.age_at.set(None);
        if let Phase::Closing { progress } = self.phase.get()
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
        let is_closing = matches!(self.phase.get(), Phase::Closing { .. });
        if has_slots || is_closing || self.writer.borrow().outbox.has_missed() {
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
        let attention = &self.0.reader.attention;
        if attention.get() == Attention::LooksLater {
            attention.set(Attention::Watching);
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
