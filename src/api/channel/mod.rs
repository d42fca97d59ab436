//! One end of an IPC channel on the loop: `send()` writes into its outbox, the reactor reads its inbox.

mod decode;
mod encode;
mod functions;
pub(super) mod registry;

use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use napi::{Env, Result, Unknown};

use decode::Decoded;
use encode::Form;

use crate::channel::ancillary::{self, Room};
use crate::channel::inbox::{Inbox, TooLong};
use crate::channel::internal::Internal;
use crate::channel::outbox::Outbox;
use crate::channel::shared::{self, Kind};
use crate::channel::spin::Spin;
use crate::channel::{Mode, v8};
use crate::engine::{self, Callable, Held, Part, Wrapper};
use crate::reactor::{Callback, Key, Reactor, Source, Turn};
use crate::sys;

/// From so many unwritten bytes on `send()` asks its caller to wait, as the builtin's does.
const HIGH_WATER: usize = 128 * 1024;
/// So many more messages of a tick than the first are written at once; they may be a process's last words.
const AT_ONCE: u32 = 7;
/// So many coalesced bytes are written without waiting for the end of the tick.
const LARGE_WRITE: usize = 64 * 1024;
/// While messages are delivered, answers wait for one another until there are so many bytes, or for so long.
const ANSWERS: usize = 8 * 1024;
const PATIENCE: Duration = Duration::from_micros(100);
/// At the exit of the process the other end gets so long to read some more of what was sent before.
const LAST_PATIENCE: Duration = Duration::from_secs(5);
/// And this long altogether.
const LAST_PATIENCE_AT_ALL: Duration = Duration::from_secs(30);
/// A channel keeps the loop from its other events for this long at most.
const TURN: Duration = Duration::from_millis(1);

/// What `send()` tells JavaScript.
#[derive(Clone, Copy, Default)]
pub(super) struct Sent(i32);

impl Sent {
    /// There is room for more.
    const ROOM: i32 = 1;
    /// All is written.
    const WRITTEN: i32 = 2;
    /// `flush()` is to be called at the end of the tick.
    const FLUSH: i32 = 4;

    fn failed(errno: i32) -> Self {
        Self(-errno)
    }

    /// The flags above, or a negative errno; `None`: there is room, and nothing to do.
    pub fn code(self) -> Option<i32> {
        (self.0 != Self::ROOM).then_some(self.0)
    }
}

/// The functions of `lib/channel.js` that are called from here; the first ones on the object given to `openChannel`.
pub(super) struct Hooks {
    /// Messages have come; gets an array of them, or nothing to go on with the last one. Says whether there are more.
    pub on_messages: Held,
    /// An internal message has come; gets the descriptor, too, that is to have come with it, -1 where none has.
    pub on_internal: Held,
    /// The other end is gone. `true`: in the middle of a message.
    pub on_end: Held,
    /// What came is no message; gets the error, or nothing for one that is too long.
    pub on_broken: Held,
    /// So many of the awaited messages are written.
    pub on_written: Held,
    /// Writing has failed, with this negative errno.
    pub on_failed: Held,
    pub parse: Held,
    pub deserialize: Held,
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
    /// Whether anything has been sent since this was last reset.
    has_sent: Cell<bool>,
    /// Whether messages that have come are left for when those are delivered that are being delivered.
    has_more: Cell<bool>,
    /// Whether JavaScript has asked for the end while messages were delivered.
    ends_after_delivery: Cell<bool>,
    /// Whether the other end is known to be a native one.
    is_native: Cell<bool>,
    /// Bytes in shared memory that the other end has not taken yet.
    under_way: Cell<usize>,
    /// Descriptors that have come, for messages still to be decoded.
    fds: RefCell<VecDeque<OwnedFd>>,
    /// Whether JavaScript wants the loop to wait for this channel.
    referenced: Cell<bool>,
    /// Whether the loop does wait for it.
    retained: Cell<bool>,
}

/// What one look at the socket gave.
enum Look {
    /// Messages or parts of some; `true`: and there may be more.
    Some(bool),
    None,
    End,
}

impl Channel {
    /// Begins to read `socket`.
    ///
    /// # Errors
    /// `ENOMEM`, `ENOSPC` (`epoll_ctl(2)`).
    pub fn open(
        hooks: &Rc<Hooks>,
        reactor: &Rc<Reactor>,
        callback: Callback,
        socket: OwnedFd,
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
            failure: Cell::default(),
            is_full: Cell::default(),
            at_once: Cell::default(),
            clock: Cell::default(),
            waiting_since: Cell::default(),
            has_sent: Cell::default(),
            has_more: Cell::default(),
            ends_after_delivery: Cell::default(),
            is_native: Cell::default(),
            under_way: Cell::default(),
            fds: RefCell::default(),
            referenced: Cell::default(),
            retained: Cell::default(),
            socket: RefCell::default(),
        });
        let source = Rc::new(SocketSource(Rc::clone(&channel)));
        channel.key.set(Some(reactor.add(socket.as_raw_fd(), Turn::WithIo, source)?));
        channel.socket.replace(Some(socket));
        Ok(channel)
    }

    /// Sends a message. `is_awaited`: `on_written` is to count it.
    ///
    /// # Errors
    /// An N-API failure.
    pub fn send(&self, env: &Env, message: &Unknown, form: Form, is_awaited: bool) -> Result<Sent> {
        if self.phase.get() != Phase::Open {
            return Ok(Sent::failed(libc::EPIPE));
        }
        if let Some(errno) = self.failure.get() {
            return Ok(Sent::failed(errno));
        }
        let mut outbox = self.outbox.borrow_mut();
        let start = outbox.bytes().len();
        let may_share = self.is_native.get() && self.under_way.get() < shared::MOST;
        if may_share && self.mode == Mode::Advanced {
            let end = outbox.end();
            if let Some((fd, length)) = encode::share(env, form, message, outbox.bytes()) {
                outbox.attach(end, fd);
                self.under_way.set(self.under_way.get() + length);
                return Ok(self.sent(outbox, is_awaited));
            }
        }
        if let Err(error) = encode::push(env, self.mode, form, message, outbox.bytes()) {
            outbox.bytes().truncate(start);
            return Err(error);
        }
        Ok(self.sent(outbox, is_awaited))
    }

    /// A message has been appended.
    fn sent(&self, mut outbox: RefMut<Outbox>, is_awaited: bool) -> Sent {
        if is_awaited {
            outbox.await_last();
        }
        let length = outbox.len();
        drop(outbox);
        self.has_sent.set(true);
        self.after_append(length)
    }

    /// Writes now or leaves it for later.
    fn after_append(&self, length: usize) -> Sent {
        let mut code = 0;
        let is_due = match self.corked.get() {
            Corked::No => {
                self.corked.set(Corked::ForTick);
                self.at_once.set(AT_ONCE);
                code = Sent::FLUSH;
                true
            }
            // A tick may be long: what it sends now and then does not wait for its end.
            Corked::ForTick => {
                self.has_turn() || length >= LARGE_WRITE || self.clock.get() != sys::coarse_time()
            }
            Corked::AfterFirst => {
                self.corked.set(Corked::ForDelivery);
                true
            }
            Corked::ForDelivery => length >= ANSWERS,
        };
        if is_due
            && !self.is_full.get()
            && let Err(error) = self.write()
        {
            return Sent::failed(sys::errno(&error));
        }
        let mut outbox = self.outbox.borrow_mut();
        if outbox.len() < HIGH_WATER {
            code |= Sent::ROOM;
        }
        if outbox.is_empty() {
            outbox.take_done();
            code |= Sent::WRITTEN;
        }
        Sent(code)
    }

    /// Whether this message is among the first of its tick.
    fn has_turn(&self) -> bool {
        let left = self.at_once.get();
        self.at_once.set(left.saturating_sub(1));
        left > 0
    }

    /// Sends a duplicate of `fd` along with the next message.
    ///
    /// # Errors
    /// `EBADF`, `EMFILE`.
    pub fn attach(&self, fd: RawFd) -> io::Result<()> {
        let fd = sys::duplicate(fd)?;
        let mut outbox = self.outbox.borrow_mut();
        let end = outbox.end();
        outbox.attach(end, fd);
        Ok(())
    }

    /// Tells the other end, which is known to be a native one, that this one is, too.
    pub fn introduce(&self, message: &Internal) {
        self.is_native.set(true);
        self.send_internal(message);
    }

    /// Sends a message of the protocol itself.
    fn send_internal(&self, message: &Internal) {
        let mut outbox = self.outbox.borrow_mut();
        encode::push_internal(self.mode, message, outbox.bytes());
        drop(outbox);
        // A failure shows again when this end reads.
        let _ = self.write();
    }

    /// The end of a tick: writes what it has sent; or, while messages are delivered, what has waited long enough.
    pub fn flush(&self) -> Sent {
        let written = match self.corked.get() {
            Corked::AfterFirst | Corked::ForDelivery => self.write_if_late(),
            Corked::No | Corked::ForTick => {
                self.corked.set(Corked::No);
                self.write_unless_full()
            }
        };
        match written {
            Err(error) => Sent::failed(sys::errno(&error)),
            Ok(()) if self.outbox.borrow().is_empty() => Sent(Sent::WRITTEN),
            Ok(()) => Sent::default(),
        }
    }

    fn write_unless_full(&self) -> io::Result<()> {
        if self.is_full.get() || self.outbox.borrow().is_empty() { Ok(()) } else { self.write() }
    }

    /// Writes as much as fits, and asks to be called when more does.
    fn write(&self) -> io::Result<()> {
        let socket = self.socket.borrow();
        let Some(socket) = &*socket else {
            return Ok(());
        };
        self.clock.set(sys::coarse_time());
        let outcome = self.outbox.borrow_mut().write(socket.as_fd());
        if let Err(error) = &outcome {
            // Nobody will read it, nor what is sent later. What was awaited is told by whoever asked.
            self.failure.set(Some(sys::errno(error)));
            self.outbox.borrow_mut().clear();
        }
        let is_full = matches!(outcome, Ok(false));
        if is_full != self.is_full.replace(is_full)
            && let Some(key) = self.key.get()
        {
            self.reactor.watch_again(key, socket.as_raw_fd(), is_full)?;
        }
        self.update_retention();
        outcome.map(drop)
    }

    /// How many awaited messages were written since this was asked last.
    pub fn take_done(&self) -> u32 {
        self.outbox.borrow_mut().take_done()
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
        let is_written = self.write_unless_full().is_err() || self.outbox.borrow().is_empty();
        if is_written {
            self.finish();
        } else {
            self.update_retention();
        }
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
        self.update_retention();
    }

    pub fn is_closed(&self) -> bool {
        self.phase.get() == Phase::Closed
    }

    /// The socket may be ready.
    fn advance(&self, env: &Env) {
        let begun = Instant::now();
        if self.is_full.replace(false) {
            self.write_and_tell(env);
        }
        if self.phase.get() == Phase::Closing {
            self.drain();
            return;
        }
        let mut look = self.look();
        if matches!(look, Look::Some(_)) {
            self.spin.borrow_mut().arrived(begun);
        }
        while let Look::Some(more) = look {
            self.has_sent.set(false);
            self.deliver(env);
            if self.phase.get() != Phase::Open {
                return;
            }
            if begun.elapsed() > TURN {
                self.call_again();
                return;
            }
            look = if more { self.look() } else { self.look_longer(begun) };
        }
        if matches!(look, Look::End) {
            self.tell_end(env);
        }
    }

    /// Reads once.
    fn look(&self) -> Look {
        let socket = self.socket.borrow();
        let Some(socket) = &*socket else {
            return Look::None;
        };
        let mut inbox = self.inbox.borrow_mut();
        let room = inbox.room();
        let size = room.len();
        let mut fds = vec![];
        match ROOM.with_borrow_mut(|rights| ancillary::receive(socket.as_fd(), room, rights, &mut fds)) {
            Ok(0) => Look::End,
            Ok(received) => {
                inbox.add(received);
                let is_cut = !fds.is_empty();
                self.fds.borrow_mut().extend(fds);
                // Less than asked for: there was no more, except that a read ends at descriptors.
                Look::Some(received == size || is_cut)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Look::None,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Look::Some(true),
            // ECONNRESET: the other end is gone and has not read everything.
            Err(_) => Look::End,
        }
    }

    /// Looks again, and longer for the answer to an answer that has just been sent, where such come quickly.
    fn look_longer(&self, begun: Instant) -> Look {
        let now = Instant::now();
        let is_answered = self.has_sent.get() && self.spin.borrow().is_on();
        let Some(time) = is_answered.then(|| self.spin.borrow_mut().answer(now)).flatten() else {
            // Once, because the reactor tells of each change only once, and of several together: the end, for one, may
            // have come along with the last message.
            return self.look();
        };
        let until = (now + time).min(begun + TURN);
        loop {
            let look = self.look();
            if !matches!(look, Look::None) {
                self.spin.borrow_mut().found();
                return look;
            }
            if Instant::now() > until {
                self.spin.borrow_mut().missed();
                return Look::None;
            }
            std::hint::spin_loop();
        }
    }

    /// Has the rest read in the next turn of the loop.
    fn call_again(&self) {
        if let (Some(key), Some(socket)) = (self.key.get(), &*self.socket.borrow()) {
            // It fails only without memory; then the next message wakes this end.
            let _ = self.reactor.watch_again(key, socket.as_raw_fd(), self.is_full.get());
        }
    }

    /// Writes what waited for room.
    fn write_and_tell(&self, env: &Env) {
        let written = self.write_unless_full();
        if self.phase.get() == Phase::Closing {
            return;
        }
        match written {
            Ok(()) => {
                let done = self.take_done();
                if done > 0
                    && let Ok(done) = engine::number(env, f64::from(done))
                {
                    self.tell(env, &self.hooks.on_written, [&done]);
                }
            }
            Err(error) => {
                if let Ok(errno) = engine::number(env, f64::from(-sys::errno(&error))) {
                    self.tell(env, &self.hooks.on_failed, [&errno]);
                }
            }
        }
    }

    /// Delivers every message that is complete, each in a tick of its own.
    fn deliver(&self, env: &Env) {
        let mut messages = vec![];
        let taken = self.inbox.borrow_mut().take(&mut messages);
        // A count of our own: what JavaScript does may close this channel, but what came before is told.
        let callback = self.callback.borrow().clone();
        let Some(callback) = callback else {
            return;
        };
        self.corked.set(if messages.len() == 1 { Corked::AfterFirst } else { Corked::ForDelivery });
        let mut rest = messages.as_slice();
        while !rest.is_empty() {
            let (run, after) = rest.split_at(decode::run(&self.inbox.borrow(), self.mode, rest));
            self.has_more.set(!after.is_empty());
            engine::with_scope(env, || {
                if !self.deliver_in_place(env, &callback, run) {
                    self.deliver_run(env, &callback, run);
                }
            });
            rest = after;
        }
        if !self.inbox.borrow().is_partial() {
            // Nobody has announced these.
            self.fds.borrow_mut().clear();
        }
        self.corked.set(Corked::No);
        self.waiting_since.set(None);
        self.write_and_tell(env);
        if taken == Err(TooLong) && self.phase.get() == Phase::Open {
            let _ = callback.call_held(env, &self.hooks.on_broken, []);
            self.inbox.borrow_mut().clear();
            self.tell_end(env);
        } else if self.ends_after_delivery.take() {
            self.tell_end(env);
        }
    }

    /// Delivers a large Buffer in the very memory that it was read into, where it is alone there. Says whether it was.
    fn deliver_in_place(&self, env: &Env, callback: &Callback, run: &[Range<usize>]) -> bool {
        let ([message], Mode::Advanced) = (run, self.mode) else {
            return false;
        };
        let content = v8::buffer(self.inbox.borrow().bytes(message)).map(<[u8]>::len);
        let Some(length) = content else {
            return false;
        };
        let Some(buffer) = self.inbox.borrow_mut().give_away(message) else {
            return false;
        };
        let part = Part { buffer, range: message.end - length..message.end };
        let value = engine::adopt_bytes(env, part, Wrapper::Buffer);
        self.deliver_one(env, callback, Some(value));
        true
    }

    /// Delivers messages that can be decoded together.
    fn deliver_run(&self, env: &Env, callback: &Callback, run: &[Range<usize>]) {
        let hooks = &self.hooks;
        let decoded = decode::decode(env, hooks, self.mode, &self.inbox.borrow(), run);
        for message in decoded {
            // Failures are those of an environment that goes away.
            match message {
                Decoded::Messages(array) => {
                    let mut is_more = callback.call_held(env, &hooks.on_messages, [&array]);
                    // More after one that has thrown, too.
                    while matches!(is_more, Ok(true)) {
                        is_more = callback.call_held(env, &hooks.on_messages, []);
                    }
                }
                Decoded::Internal(value) => {
                    let _ = callback.call_held(env, &hooks.on_internal, [&value]);
                }
                Decoded::Handle(value) => {
                    let fd = self.fds.borrow_mut().pop_front().map_or(-1, IntoRawFd::into_raw_fd);
                    if let Ok(fd) = engine::number(env, fd.into()) {
                        let _ = callback.call_held(env, &hooks.on_internal, [&value, &fd]);
                    }
                }
                Decoded::Broken(error) => {
                    let _ = callback.call_held(env, &hooks.on_broken, [&error]);
                }
                Decoded::Ours(Internal::Taken { bytes }) => {
                    self.under_way.set(self.under_way.get().saturating_sub(bytes as usize));
                }
                Decoded::Ours(_) => self.is_native.set(true),
                Decoded::Shared(kind, length) => self.deliver_shared(env, callback, kind, length),
            }
        }
    }

    /// Delivers bytes out of shared memory.
    fn deliver_shared(&self, env: &Env, callback: &Callback, kind: Kind, length: usize) {
        let fd = self.fds.borrow_mut().pop_front().filter(|_| self.is_native.get());
        let mapping = fd.and_then(|fd| sys::map_sealed(fd, length).ok());
        self.send_internal(&Internal::Taken { bytes: length as f64 });
        let wrapper = match kind {
            Kind::Buffer => Wrapper::Buffer,
            Kind::ArrayBuffer => Wrapper::ArrayBuffer,
        };
        let value = mapping.map(|mapping| engine::adopt_bytes(env, mapping, wrapper));
        self.deliver_one(env, callback, value);
    }

    /// Delivers one message, or tells that it is none.
    fn deliver_one(&self, env: &Env, callback: &Callback, value: Option<Result<Unknown>>) {
        // Failures are those of an environment that goes away.
        let _ = match value {
            Some(Ok(value)) => engine::array_of(env, &value)
                .and_then(|array| callback.call_held(env, &self.hooks.on_messages, [&array])),
            Some(Err(error)) => Err(error),
            None => engine::boolean(env, false)
                .and_then(|nothing| callback.call_held(env, &self.hooks.on_broken, [&nothing])),
        };
    }

    /// Whether answers have waited long enough for others; writes them then.
    fn write_if_late(&self) -> io::Result<()> {
        let now = Instant::now();
        let since = self.waiting_since.get().unwrap_or(now);
        self.waiting_since.set(Some(since));
        if now.duration_since(since) < PATIENCE {
            return Ok(());
        }
        self.waiting_since.set(None);
        self.write_unless_full()
    }

    fn tell<const N: usize>(&self, env: &Env, hook: &Held, arguments: [&Unknown; N]) {
        let callback = self.callback.borrow().clone();
        if let Some(callback) = callback {
            // It fails only while the environment goes away.
            let _ = callback.call_held(env, hook, arguments);
        }
    }

    /// No message will come any more.
    fn tell_end(&self, env: &Env) {
        let is_partial = self.inbox.borrow().is_partial();
        if let Ok(is_partial) = engine::boolean(env, is_partial) {
            self.tell(env, &self.hooks.on_end, [&is_partial]);
        }
    }

    /// JavaScript wants no more messages. Says whether some that have come are still to be delivered; `on_end` follows them.
    pub fn end(&self) -> bool {
        self.ends_after_delivery.set(self.has_more.get());
        self.has_more.get()
    }

    /// While the rest is written, what comes is read and dropped: the other end may be writing, too.
    fn drain(&self) {
        loop {
            match self.look() {
                Look::Some(_) => self.inbox.borrow_mut().clear(),
                Look::None => break,
                Look::End => {
                    self.finish();
                    return;
                }
            }
        }
        if self.write_unless_full().is_err() || self.outbox.borrow().is_empty() {
            self.finish();
        }
    }

    /// Writes everything, waiting for the other end as long as it goes on reading. The process may be exiting: nothing is
    /// touched but the socket and what is to be written.
    fn write_out(&self) {
        let socket = self.socket.borrow();
        let Some(socket) = &*socket else {
            return;
        };
        let mut outbox = self.outbox.borrow_mut();
        let begun = Instant::now();
        while !outbox.is_empty() && matches!(outbox.write(socket.as_fd()), Ok(false)) {
            if begun.elapsed() > LAST_PATIENCE_AT_ALL
                || !ancillary::wait_for_room(socket.as_fd(), LAST_PATIENCE)
            {
                return;
            }
        }
    }
}

thread_local! {
    /// Room for the descriptors of one read.
    static ROOM: RefCell<Room> = RefCell::default();
}

/// `write(message, form | AWAITED)`, the native part of `send()`; without arguments it is `flush()`.
impl Callable for Channel {
    fn call(&self, env: &Env, [message, how]: [Unknown; 2]) -> Result<Option<i32>> {
        /// Beside the form: somebody waits for the message to be written.
        const AWAITED: u32 = 8;
        let Ok(how) = engine::to_u32(env, &how) else {
            return Ok(self.flush().code());
        };
        Ok(self.send(env, &message, Form::from_number(how & !AWAITED), how & AWAITED != 0)?.code())
    }
}

struct SocketSource(Rc<Channel>);

impl Source for SocketSource {
    fn ready(&self, env: &Env) {
        self.0.advance(env);
        if self.0.is_closed() {
            registry::forget(&self.0);
        }
    }

    fn shut_down(&self) {
        self.0.write_out();
        self.0.finish();
        registry::forget(&self.0);
    }
}
