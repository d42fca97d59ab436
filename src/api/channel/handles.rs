//! Sockets and servers: what an object is and its descriptor on the way out, and on the way in what JavaScript makes an object
//! of. What is under way, and what acknowledgements mean, is in [`crate::channel::handles`].

use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, IntoRawFd, OwnedFd, RawFd};

use napi::bindgen_prelude::{JsObjectValue, Object};
use napi::{Env, Result, Unknown, ValueType};
use napi_derive::napi;

use super::super::runtime::runtime;
use super::decode::Fault;
use super::{Callback, Channel, encode, registry};
use crate::channel::handles::{Kind, NeverSent, Socket};
use crate::channel::internal::Reply;
use crate::channel::missing::{Gaps, Missing};
use crate::channel::outbox::Outcome;
use crate::channel::word::Word;
use crate::engine::{self, Held};
use crate::sys;

/// So many handles that have come are acknowledged together at most.
const TOGETHER: u32 = 16;

/// The functions of `lib/link.js` that hear of handles.
pub(in crate::api) struct Hooks {
    /// A message that announces a handle has come; gets its descriptor, what it is, and the key of what was missing if this is it.
    on_handle: Held,
    /// The other end has told of a handle: `true`, that could not be delivered, `false`, that was not sent.
    on_undelivered: Held,
    /// All handles have been acknowledged, which was asked for.
    on_arrived: Held,
    /// The kernel takes no more descriptors for now.
    on_crowded: Held,
    /// The classes that can be sent.
    classes: [(Kind, Held); 3],
}

impl Hooks {
    pub fn new(env: &Env, functions: &Object) -> Result<Self> {
        let held = |name: &str| Held::new(env, &functions.get_named_property::<Unknown>(name)?);
        Ok(Self {
            on_handle: held("onHandle")?,
            on_undelivered: held("onUndelivered")?,
            on_arrived: held("onArrived")?,
            on_crowded: held("onCrowded")?,
            classes: [
                (Kind::NetSocket, held("netSocket")?),
                (Kind::NetServer, held("netServer")?),
                (Kind::DgramSocket, held("dgramSocket")?),
            ],
        })
    }

    /// What kind of handle `object` is.
    fn kind_of(&self, env: &Env, object: &Unknown) -> Result<Option<Kind>> {
        for (kind, class) in &self.classes {
            if engine::is_instance(env, object, class)? {
                return Ok(Some(*kind));
            }
        }
        raw_kind_of(env, object)
    }
}

/// What kind of handle of libuv's `object` is. Their classes are Node's own, to be known by their names.
fn raw_kind_of(env: &Env, object: &Unknown) -> Result<Option<Kind>> {
    if engine::kind(env, object)? != ValueType::Object {
        return Ok(None);
    }
    let method = engine::property(env, object, c"getAsyncId")?;
    if engine::kind(env, &method)? != ValueType::Function {
        return Ok(None);
    }
    let class = engine::property(env, object, c"constructor")?;
    if engine::kind(env, &class)? != ValueType::Function {
        return Ok(None);
    }
    let mut name = vec![];
    engine::push_utf8(env, &engine::property(env, &class, c"name")?, &mut name)?;
    Ok(Kind::of_class(&name))
}

/// What one end knows of the handles that come and go.
#[derive(Default)]
pub(super) struct Received {
    /// How many have come that are not acknowledged yet.
    unacknowledged: Cell<u32>,
    /// The number of the next one.
    next: Cell<u32>,
    /// What was announced and has not come.
    pub gaps: RefCell<Gaps>,
    /// JavaScript waits until all that were sent are acknowledged.
    is_awaited: Cell<bool>,
}

/// What is made of a descriptor; `lib/handles.js` has the same numbers.
#[derive(Clone, Copy)]
#[repr(i32)]
enum Made {
    Tcp = 0,
    Pipe = 1,
    Udp = 2,
    /// It has not come.
    Missing = -1,
    /// Nothing of the kind that was announced.
    Unfit = -2,
}

impl Channel {
    /// The other end is a native one.
    pub(super) fn become_native(&self) {
        self.is_native.set(true);
        self.outbox.borrow_mut().handles.pipeline();
    }

    /// Sends the descriptor of a handle of libuv's along with the next message.
    ///
    /// # Errors
    /// `EBADF`, `EMFILE`.
    fn attach_handle(&self, fd: RawFd) -> std::io::Result<()> {
        let fd = sys::duplicate(fd)?;
        self.outbox.borrow_mut().attach_handle(fd);
        Ok(())
    }

    /// A message that announces a handle has come.
    ///
    /// # Errors
    /// More handles are missing than can be under way.
    pub(super) fn deliver_handle(
        &self,
        env: &Env,
        callback: &Callback,
        message: &Unknown,
        fd: Option<OwnedFd>,
        again: Option<Missing>,
    ) -> std::result::Result<(), Fault> {
        let Received { unacknowledged, next, .. } = &self.received;
        let number = match again {
            Some(Missing::Handle(number)) => number,
            _ => next.replace(next.get().wrapping_add(1)),
        };
        match (&fd, self.is_native.get()) {
            (Some(_), true) => {
                unacknowledged.set(unacknowledged.get() + 1);
                if unacknowledged.get() == TOGETHER {
                    self.acknowledge_received();
                }
            }
            (None, true) => {
                self.acknowledge_received();
                self.send_word(&Word::HandleMissed {});
                return self.tell_missing(env, callback, Missing::Handle(number));
            }
            (Some(_), false) => self.send_reply(Reply::Acknowledged),
            (None, false) => self.send_reply(Reply::NotReceived),
        }
        let made = fd.as_ref().map_or(Made::Missing, |fd| made_of(env, message, fd));
        let fd = fd.filter(|_| !matches!(made, Made::Unfit)).map_or(-1, IntoRawFd::into_raw_fd);
        let key = again.filter(|missing| self.received.gaps.borrow_mut().fill(*missing)).map(Missing::key);
        let key = key.map_or_else(|| engine::undefined(env), |key| engine::number(env, key));
        let numbers = [f64::from(fd), f64::from(made as i32)].map(|value| engine::number(env, value));
        if let ([Ok(fd), Ok(made)], Ok(key)) = (numbers, key) {
            // It fails only while the environment goes away.
            let _ = callback.call_held(env, &self.hooks.handles.on_handle, [message, &fd, &made, &key]);
        }
        Ok(())
    }

    fn acknowledge_received(&self) {
        let count = self.received.unacknowledged.take();
        if count > 0 {
            self.send_word(&Word::HandlesTaken { count });
        }
    }

    /// After a look at the socket: tells of what it brought.
    pub(super) fn settle_handles(&self, env: &Env) {
        self.acknowledge_received();
        if let Some(errno) = self.untold.take()
            && let Ok(errno) = engine::number(env, f64::from(-errno))
        {
            self.tell(env, &self.hooks.on_failed, [&errno]);
        }
        let (is_empty, is_crowded) = {
            let outbox = self.outbox.borrow();
            (!outbox.has_handles(), outbox.is_crowded())
        };
        if is_crowded {
            self.tell(env, &self.hooks.handles.on_crowded, []);
        }
        if is_empty && self.received.is_awaited.take() {
            self.tell(env, &self.hooks.handles.on_arrived, []);
        }
    }

    /// What a native end says of handles.
    pub(super) fn hear_of_handles(&self, env: &Env, callback: &Callback, word: &Word) {
        let outcome = match word {
            Word::HandlesTaken { count } => self.outbox.borrow_mut().taken(*count).map(|()| Outcome::Again),
            Word::HandleMissed {} => self.handle_missed(),
            Word::HandleAgain { number } => {
                self.received.gaps.borrow_mut().comes_again(Missing::Handle(*number));
                return;
            }
            Word::HandleLost { number } => {
                let lost = Missing::Handle(*number);
                if self.received.gaps.borrow_mut().fill(lost)
                    && let Ok(key) = engine::number(env, lost.key())
                {
                    let _ = callback.call_held(env, &self.hooks.on_lost, [&key]);
                }
                return;
            }
            _ => return,
        };
        let was_sent = match outcome {
            Ok(Outcome::Again | Outcome::Later) => return,
            Ok(Outcome::Lost(_)) => true,
            Err(NeverSent) => false,
        };
        if let Ok(was_sent) = engine::boolean(env, was_sent) {
            let _ = callback.call_held(env, &self.hooks.handles.on_undelivered, [&was_sent]);
        }
    }

    /// The other end has not got the oldest handle: it is sent again.
    fn handle_missed(&self) -> std::result::Result<Outcome, NeverSent> {
        let outcome = self.outbox.borrow_mut().missed();
        match outcome {
            Ok(Outcome::Later) => self.watch_age(),
            Ok(Outcome::Lost(number)) if self.is_native.get() => self.send_word(&Word::HandleLost { number }),
            _ => {}
        }
        outcome
    }

    /// Sends the handles again that a native end has missed.
    pub(super) fn repeat_missed(&self) {
        let mode = self.mode;
        self.outbox.borrow_mut().repeat_missed(|number| {
            let mut bytes = vec![];
            encode::push_word(mode, &Word::HandleAgain { number }, &mut bytes);
            bytes
        });
        self.write_or_remember();
    }
}

/// What is to be made of `fd`, which has come with `message`.
fn made_of(env: &Env, message: &Unknown, fd: &OwnedFd) -> Made {
    let mut name = vec![];
    let announced = engine::property(env, message, c"type")
        .and_then(|kind| engine::push_utf8(env, &kind, &mut name))
        .ok()
        .and_then(|()| Kind::from_name(&name));
    let socket = Socket::of(fd.as_fd());
    match (announced, socket) {
        (Some(kind), Some(socket)) if kind.is_made_of(socket) => match socket {
            Socket::Tcp => Made::Tcp,
            Socket::Pipe => Made::Pipe,
            Socket::Udp => Made::Udp,
        },
        _ => Made::Unfit,
    }
}

/// What kind of handle an object is: its index among the `type`s of handles, or -1.
#[napi(catch_unwind)]
pub fn handle_kind(number: u32, env: &Env, object: Unknown) -> Result<i32> {
    let hooks = runtime(number)?.channel_hooks.borrow().clone();
    let kind = match hooks {
        Some(hooks) => hooks.handles.kind_of(env, &object)?,
        None => None,
    };
    Ok(kind
        .and_then(|kind| Kind::ALL.iter().position(|other| *other == kind))
        .map_or(-1, |index| index as i32))
}

/// Sends the descriptor of a handle of libuv's along with the next message, until the other end has it. Returns 0 or a
/// negative errno.
#[napi(catch_unwind)]
pub fn attach_handle(channel: u32, env: &Env, handle: Unknown) -> Result<i32> {
    let fd = engine::property(env, &handle, c"fd")?;
    let fd = engine::to_f64(env, &fd).map_or(-1, |fd| fd as RawFd);
    if fd < 0 {
        return Ok(-libc::EBADF);
    }
    Ok(match registry::find(channel).map(|channel| channel.attach_handle(fd)) {
        Some(Ok(())) => 0,
        Some(Err(error)) => -sys::errno(&error),
        None => -libc::EPIPE,
    })
}

/// The message that was to take a handle along will not be sent.
#[napi(catch_unwind)]
pub fn cancel_handle(channel: u32) {
    if let Some(channel) = registry::find(channel) {
        channel.outbox.borrow_mut().cancel_handle();
    }
}

/// The builtin's end has got the handle that is under way, or has not. Returns 0, 1 where it could not be delivered, or -1 where
/// none was sent.
#[napi(catch_unwind)]
pub fn acknowledge(channel: u32, is_received: bool) -> i32 {
    let Some(channel) = registry::find(channel) else {
        return 0;
    };
    let outcome = if is_received {
        channel.outbox.borrow_mut().taken(1).map(|()| Outcome::Again)
    } else {
        channel.handle_missed()
    };
    // What waited goes out now, and if it is a handle its acknowledgement comes soon.
    if !channel.outbox.borrow().handles.is_empty() {
        channel.has_sent.set(true);
    }
    match outcome {
        Ok(Outcome::Again | Outcome::Later) => 0,
        Ok(Outcome::Lost(_)) => 1,
        Err(NeverSent) => -1,
    }
}

/// Whether handles are under way; then `onArrived` is called when they are not any more.
#[napi(catch_unwind)]
pub fn await_handles(channel: u32) -> bool {
    registry::find(channel).is_some_and(|channel| {
        let is_under_way = channel.outbox.borrow().has_handles();
        channel.received.is_awaited.set(is_under_way);
        is_under_way
    })
}
