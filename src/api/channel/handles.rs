//! Sockets and servers on their way: sending one along with a message, what has come and is to be made an object of, what the other end
//! says of either, and the counting of a server's sockets. The types are in [`super::conversion`]; what acknowledgements mean, in
//! [`crate::channel::handles`].

use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, OwnedFd, RawFd};
use std::rc::Rc;

use napi::{Env, Error, Result, Unknown};
use slab::Slab;

use super::conversion::{self, Conversion, Got, Outward, text};
use super::counting::counted_key;
use super::decode::Fault;
use super::events::{Event, Listener};
use super::sending::{Request, Sent};
use super::{Channel, Leaving, Phase, encode};
use crate::channel::handles::{Kind, NeverSent, Socket};
use crate::channel::internal::Reply;
use crate::channel::missing::Missing;
use crate::channel::outbox::Outcome;
use crate::channel::peer::Peer;
use crate::channel::word::Word;
use crate::engine::{self, Held};

/// So many handles that have come are acknowledged together at most.
const TOGETHER: u32 = 16;

/// What one end knows of the handles that come and go.
#[derive(Default)]
pub(super) struct Received {
    /// How many have come that are not acknowledged yet.
    unacknowledged: Cell<u32>,
    /// The number of the next one.
    next: Cell<u32>,
    /// What has come, until its object is made.
    arrivals: RefCell<Slab<Arrival>>,
    /// Handles that were given away while they had something to write.
    lingering: RefCell<Vec<Held>>,
}

/// A descriptor that has come.
struct Arrival {
    fd: OwnedFd,
    /// What was announced, and what it is; `None`: nothing of that kind.
    fit: Option<(Kind, Socket)>,
}

impl Channel {
    /// The other end is a native one.
    pub(super) fn become_native(&self) {
        self.peer.replace(Peer::Native);
        self.writer.borrow_mut().outbox.handles.pipeline();
    }

    /// Sends a message with a handle. Says what [`Channel::send_value`] does.
    ///
    /// # Errors
    /// `ERR_INVALID_HANDLE_TYPE`; what a getter throws; the message cannot be serialised.
    pub(super) fn send_handle(
        self: &Rc<Self>,
        env: &Env,
        message: &Unknown,
        handle: &Unknown,
        request: Request,
    ) -> Result<Option<bool>> {
        let Some(conversion) = Conversion::of_object(env, &self.node, handle)? else {
            return Err(self.node.context(env)?.invalid_handle());
        };
        let Outward { inner, describe, sent } = &conversion.send;
        let source = inner(env, handle)?;
        // Sent before, or closed: then the message goes alone.
        if !engine::is_truthy(env, &source)? {
            return self.send_value(env, message, request);
        }
        // As with the builtin, only those who asked hear that the other end is gone: cluster sends before it knows.
        let is_silent = request.is_silent || request.callback.is_none();
        let quiet = Request { is_silent, ..request };
        if self.phase.get() != Phase::Open {
            self.refuse(env, libc::EPIPE, &quiet);
            return Ok(Some(true));
        }
        let name = |text: &str| engine::string(env, text.as_bytes());
        let wrapped = engine::object(
            env,
            &[(c"cmd", name("NODE_HANDLE")?), (c"type", name(conversion.kind.name())?), (c"msg", *message)],
        )?;
        describe(env, &wrapped, handle)?;
        let fd = engine::to_f64(env, &engine::property(env, &source, c"fd")?).map_or(-1, |fd| fd as RawFd);
        let queued = match self.transmit(env, &wrapped, Some(fd), &quiet)? {
            Sent::Refused(errno) => {
                self.refuse(env, errno, &request);
                return Ok(Some(true));
            }
            queued => self.after_send(env, queued, &quiet)?,
        };
        let given =
            sent(&conversion::Sent { env, channel: self, object: *handle, keeps_open: request.keeps_open })?;
        if let Some(handle) = given {
            self.close_given(env, &handle)?;
        }
        Ok(queued)
    }

    /// What is sent has a descriptor of its own, but what a handle has still to write only itself can.
    fn close_given(&self, env: &Env, handle: &Unknown) -> Result<()> {
        let unwritten =
            engine::to_f64(env, &engine::property(env, handle, c"writeQueueSize")?).unwrap_or(0.0);
        if unwritten > 0.0 && self.writer.borrow().outbox.has_handles() {
            self.received.lingering.borrow_mut().push(Held::new(env, handle)?);
            return Ok(());
        }
        engine::call_method(env, handle, c"close", []).map(drop)
    }

    /// Everything has arrived, or nothing will any more.
    pub(super) fn close_lingering(&self, env: &Env) {
        let lingering = self.received.lingering.take();
        for handle in lingering {
            let _ = handle.get(env).and_then(|handle| engine::call_method(env, &handle, c"close", []));
        }
    }

    /// Makes the object of a descriptor that has come with `message`, and hands it to `take(error, object)`.
    ///
    /// # Errors
    /// What `take` throws.
    pub(super) fn convert(
        self: &Rc<Self>,
        env: &Env,
        message: &Unknown,
        arrival: u32,
        take: &Unknown,
    ) -> Result<()> {
        let Some(Arrival { fd, fit }) = self.received.arrivals.borrow_mut().try_remove(arrival as usize)
        else {
            return Ok(());
        };
        let take_function = Held::new(env, take)?;
        let call =
            |error: &Unknown, object: &Unknown| engine::call(env, &take_function, [error, object]).map(drop);
        let fail = |error: Error| call(&engine::thrown(env, error), &engine::undefined(env)?);
        let conversion = fit.and_then(|(kind, socket)| Some((Conversion::of_kind(kind)?, socket)));
        let Some((conversion, socket)) = conversion else {
            // A text is shown; what else it may be is not looked at.
            let kind = text(env, &engine::property(env, message, c"type")?);
            let kind = kind.unwrap_or_else(|| "handle of a known type".to_owned());
            return fail(self.node.context(env)?.broken_handle(&format!("what it sent is no {kind}")));
        };
        let handle = match self.node.handle_over(env, socket, fd) {
            Ok(handle) => handle,
            Err(error) => return fail(error),
        };
        let got = Got { env, channel: self, message: *message, handle, take: *take };
        match (conversion.got)(&got) {
            Ok(Some(object)) => call(&engine::null(env)?, &object),
            Ok(None) => Ok(()),
            Err(error) => {
                let error = engine::thrown(env, error);
                let _ = engine::call_method(env, &handle, c"close", []);
                if let Some(key) = counted_key(env, message) {
                    self.socket_closed(env, &key)?;
                }
                call(&error, &engine::undefined(env)?)
            }
        }
    }

    /// A message that announces a handle has come.
    ///
    /// # Errors
    /// More handles are missing than can be under way.
    pub(super) fn deliver_handle(
        self: &Rc<Self>,
        env: &Env,
        listener: &Listener,
        message: &Unknown,
        fd: Option<OwnedFd>,
        again: Option<Missing>,
    ) -> std::result::Result<(), Fault> {
        let Received { unacknowledged, next, .. } = &self.received;
        let number = match again {
            Some(Missing::Handle(number)) => number,
            _ => next.replace(next.get().wrapping_add(1)),
        };
        let is_native = self.peer.borrow().is_native();
        match (&fd, is_native) {
            (Some(_), true) => {
                unacknowledged.set(unacknowledged.get() + 1);
                if unacknowledged.get() == TOGETHER {
                    self.acknowledge_received();
                }
            }
            (None, true) => {
                self.acknowledge_received();
                self.send_word(&Word::HandleMissed {});
                self.count_missing(env, message, number);
                return self.tell_missing(env, listener, Missing::Handle(number));
            }
            (Some(_), false) => self.send_reply(Reply::Acknowledged),
            (None, false) => self.send_reply(Reply::NotReceived),
        }
        let arrival = match fd {
            Some(fd) => {
                let fit = what_fits(env, message, &fd);
                self.count_arrived(env, message, number, fit.is_some());
                let index = self.received.arrivals.borrow_mut().insert(Arrival { fd, fit });
                engine::number(env, index as f64)
            }
            None => engine::undefined(env),
        };
        let key = again.filter(|missing| self.reader.gaps.borrow_mut().fill(*missing)).map(Missing::key);
        let key = key.map_or_else(|| engine::undefined(env), |key| engine::number(env, key));
        if let (Ok(arrival), Ok(key)) = (arrival, key) {
            listener.tell(env, Event::Handle, [message, &arrival, &key]);
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
    pub(super) fn settle_handles(self: &Rc<Self>, env: &Env) {
        self.acknowledge_received();
        let untold = self.writer.borrow_mut().take_untold();
        if let Some(errno) = untold {
            self.fail(env, errno);
        }
        let has_handles = self.writer.borrow().outbox.has_handles();
        if self.writer.borrow().outbox.is_crowded() {
            self.retry_later();
        }
        if !has_handles {
            self.close_lingering(env);
            if matches!(&*self.leaving.borrow(), Leaving::ForHandles) {
                self.tell(env, Event::HandlesArrived, []);
                // It fails only while the environment goes away.
                let _ = self.leave(env);
                self.disconnect_if_due(env);
            }
        }
    }

    /// What a native end says of handles.
    pub(super) fn hear_of_handles(self: &Rc<Self>, env: &Env, listener: &Listener, word: &Word) {
        let outcome = match word {
            Word::HandlesTaken { count } => {
                self.writer.borrow_mut().outbox.taken(*count).map(|()| Outcome::Again)
            }
            Word::HandleMissed {} => self.handle_missed(),
            Word::HandleAgain { number } => {
                self.reader.gaps.borrow_mut().comes_again(Missing::Handle(*number));
                return;
            }
            Word::HandleLost { number } => {
                let lost = Missing::Handle(*number);
                if self.reader.gaps.borrow_mut().fill(lost)
                    && let Ok(key) = engine::number(env, lost.key())
                {
                    self.count_lost(env, *number);
                    listener.tell(env, Event::Lost, [&key]);
                }
                return;
            }
            _ => return,
        };
        self.tell_of_outcome(env, listener, outcome);
    }

    /// A builtin end has got the handle that is under way, or has not.
    pub(super) fn hear_reply(&self, env: &Env, listener: &Listener, reply: Reply) {
        let outcome = match reply {
            Reply::Acknowledged => self.writer.borrow_mut().outbox.taken(1).map(|()| Outcome::Again),
            Reply::NotReceived => self.handle_missed(),
        };
        // What waited goes out now, and if it is a handle its acknowledgement comes soon.
        if !self.writer.borrow().outbox.handles.is_empty() {
            self.writer.borrow_mut().note_sent();
        }
        self.tell_of_outcome(env, listener, outcome);
    }

    fn tell_of_outcome(
        &self,
        env: &Env,
        listener: &Listener,
        outcome: std::result::Result<Outcome, NeverSent>,
    ) {
        match outcome {
            Ok(Outcome::Again | Outcome::Later) => {}
            Ok(Outcome::Lost(_)) => listener.tell(env, Event::Undelivered, []),
            Err(NeverSent) => {
                if let Ok(context) = self.node.context(env) {
                    let error = context.broken_handle("it acknowledged one that was not sent");
                    listener.tell(env, Event::Error, [&engine::thrown(env, error)]);
                }
            }
        }
    }

    /// The other end has not got the oldest handle: it is sent again.
    fn handle_missed(&self) -> std::result::Result<Outcome, NeverSent> {
        let outcome = self.writer.borrow_mut().outbox.missed();
        match outcome {
            Ok(Outcome::Later) => self.watch_age(),
            Ok(Outcome::Lost(number)) if self.peer.borrow().is_native() => {
                self.send_word(&Word::HandleLost { number });
            }
            _ => {}
        }
        outcome
    }

    /// Sends the handles again that a native end has missed.
    pub(super) fn repeat_missed(&self) {
        let mode = self.mode;
        self.writer.borrow_mut().outbox.repeat_missed(|number| {
            let mut bytes = vec![];
            encode::push_word(mode, &Word::HandleAgain { number }, &mut bytes);
            bytes
        });
        self.write_or_remember();
    }
}

/// What was announced by `message`, and what `fd` is, where one can be made of the other.
fn what_fits(env: &Env, message: &Unknown, fd: &OwnedFd) -> Option<(Kind, Socket)> {
    let kind = kind_of(env, message)?;
    let socket = Socket::of(fd.as_fd()).filter(|socket| kind.is_made_of(*socket))?;
    Some((kind, socket))
}

/// What is announced by `message`.
pub(super) fn kind_of(env: &Env, message: &Unknown) -> Option<Kind> {
    let name = text(env, &engine::property(env, message, c"type").ok()?)?;
    Kind::from_name(name.as_bytes())
}
