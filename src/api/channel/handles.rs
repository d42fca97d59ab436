//! Sends and receives handles (sockets and servers), and processes their acknowledgements. The handle types are in
//! [`super::conversion`], the handles in flight in [`crate::channel::handles`].

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
use super::{Channel, Disconnecting, Phase, encode};
use crate::channel::handles::{Kind, NeverSent, Socket};
use crate::channel::internal::Reply;
use crate::channel::missing::Missing;
use crate::channel::outbox::Outcome;
use crate::channel::peer::Peer;
use crate::channel::word::Word;
use crate::engine::{self, Held};

/// The most received handles that are acknowledged together.
const MAX_TOGETHER: u32 = 16;

/// The received handles of one end.
#[derive(Default)]
pub(super) struct Received {
    /// How many have arrived and have not been acknowledged yet.
    unacknowledged: Cell<u32>,
    /// The sequence number of the next one.
    next: Cell<u32>,
    /// Descriptors whose objects have not been created yet.
    arrivals: RefCell<Slab<Arrival>>,
    /// Libuv handles that were sent to the other end while they still had data to write. They are closed later.
    lingering: RefCell<Vec<Held>>,
}

/// A received descriptor.
struct Arrival {
    fd: OwnedFd,
    /// The announced type, and the type of socket that it is. `None` if these do not match.
    fit: Option<(Kind, Socket)>,
}

impl Channel {
    /// The other end is native.
    pub(super) fn become_native(&self) {
        self.peer.replace(Peer::Native);
        self.writer.borrow_mut().outbox.handles.pipeline();
    }

    /// Sends a message with a handle. Returns the same as [`Channel::send_value`].
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
        // It was sent before, or is closed: the message is sent without it.
        if !engine::is_truthy(&source)? {
            return self.send_value(env, message, request);
        }
        // As with the builtin, only a callback hears that the other end is gone: cluster may send before it knows that.
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

    /// Closes a libuv handle that was sent. The channel has its own copy of the descriptor, but only the handle
    /// itself can write the data that it has buffered. So if it has any, it is closed later.
    fn close_given(&self, env: &Env, handle: &Unknown) -> Result<()> {
        let unwritten =
            engine::to_f64(env, &engine::property(env, handle, c"writeQueueSize")?).unwrap_or(0.0);
        if unwritten > 0.0 && self.writer.borrow().outbox.has_handles() {
            self.received.lingering.borrow_mut().push(Held::new(env, handle)?);
            return Ok(());
        }
        engine::call_method(env, handle, c"close", []).map(drop)
    }

    /// All handles have arrived, or none will any more: closes those that were kept open.
    pub(super) fn close_lingering(&self, env: &Env) {
        let lingering = self.received.lingering.take();
        for handle in lingering {
            let _ = handle.get(env).and_then(|handle| engine::call_method(env, &handle, c"close", []));
        }
    }

    /// Creates the object for a descriptor that came with `message`, and passes it to `take(error, object)`.
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
            // Only a string is shown in the error.
            let kind = text(env, &engine::property(env, message, c"type")?);
            let kind = kind.unwrap_or_else(|| "handle of a known type".to_owned());
            return fail(
                self.node
                    .context(env)?
                    .broken_handle(&format!("the descriptor that it sent is not a {kind}")),
            );
        };
        // The socket has been counted already.
        let fail_counted = |error: Error, handle: Option<&Unknown>| {
            let error = engine::thrown(env, error);
            if let Some(handle) = handle {
                let _ = engine::call_method(env, handle, c"close", []);
            }
            if let Some(key) = counted_key(env, message) {
                self.socket_closed(env, &key)?;
            }
            call(&error, &engine::undefined(env)?)
        };
        let handle = match self.node.handle_for(env, socket, fd) {
            Ok(handle) => handle,
            Err(error) => return fail_counted(error, None),
        };
        let got = Got { env, channel: self, message: *message, handle, take: *take };
        match (conversion.got)(&got) {
            Ok(Some(object)) => call(&engine::null(env)?, &object),
            Ok(None) => Ok(()),
            Err(error) => fail_counted(error, Some(&handle)),
        }
    }

    /// Delivers a message that announces a handle. `fd` is `None` if the descriptor is missing.
    ///
    /// # Errors
    /// More handles are missing than can be in flight.
    pub(super) fn deliver_handle(
        self: &Rc<Self>,
        env: &Env,
        listener: &Listener,
        message: &Unknown,
        fd: Option<OwnedFd>,
        resent: Option<Missing>,
    ) -> std::result::Result<(), Fault> {
        let Received { unacknowledged, next, .. } = &self.received;
        let number = match resent {
            Some(Missing::Handle(number)) => number,
            _ => next.replace(next.get().wrapping_add(1)),
        };
        let is_native = self.peer.borrow().is_native();
        match (&fd, is_native) {
            (Some(_), true) => {
                unacknowledged.set(unacknowledged.get() + 1);
                if unacknowledged.get() == MAX_TOGETHER {
                    self.acknowledge_received();
                }
            }
            (None, true) => {
                self.acknowledge_received();
                self.send_word(&Word::HandleMissed {});
                self.count_missing(env, message, number);
                return self.emit_missing(env, listener, Missing::Handle(number));
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
        let key = resent.filter(|missing| self.reader.gaps.borrow_mut().fill(*missing)).map(Missing::key);
        let key = key.map_or_else(|| engine::undefined(env), |key| engine::number(env, key));
        if let (Ok(arrival), Ok(key)) = (arrival, key) {
            listener.emit(env, Event::Handle, [message, &arrival, &key]);
        }
        Ok(())
    }

    fn acknowledge_received(&self) {
        let count = self.received.unacknowledged.take();
        if count > 0 {
            self.send_word(&Word::HandlesTaken { count });
        }
    }

    /// Called after each read: acknowledges handles, reports failures, and goes on with `disconnect()` if all handles
    /// have arrived.
    pub(super) fn after_read(self: &Rc<Self>, env: &Env) {
        self.acknowledge_received();
        let unreported = self.writer.borrow_mut().take_unreported();
        if let Some(errno) = unreported {
            self.fail(env, errno);
        }
        let has_handles = self.writer.borrow().outbox.has_handles();
        if self.writer.borrow().outbox.must_retry() {
            self.retry_later();
        }
        if !has_handles {
            self.close_lingering(env);
            if matches!(&*self.disconnecting.borrow(), Disconnecting::AwaitingHandles) {
                self.emit(env, Event::HandlesArrived, []);
                // Fails only while the environment shuts down.
                let _ = self.disconnect_after_delivery(env);
                self.disconnect_if_due(env);
            }
        }
    }

    /// Processes a native end's word about handles.
    pub(super) fn process_handle_word(self: &Rc<Self>, env: &Env, listener: &Listener, word: &Word) {
        let outcome = match word {
            Word::HandlesTaken { count } => {
                self.writer.borrow_mut().outbox.taken(*count).map(|()| Outcome::Again)
            }
            Word::HandleMissed {} => self.handle_missed(),
            Word::HandleAgain { number } => {
                self.reader.gaps.borrow_mut().expect_resent(Missing::Handle(*number));
                return;
            }
            Word::HandleLost { number } => {
                let lost = Missing::Handle(*number);
                if self.reader.gaps.borrow_mut().fill(lost)
                    && let Ok(key) = engine::number(env, lost.key())
                {
                    self.count_lost(env, *number);
                    listener.emit(env, Event::Lost, [&key]);
                }
                return;
            }
            _ => return,
        };
        self.report_outcome(env, listener, outcome);
    }

    /// Processes a builtin end's reply about the handle in flight.
    pub(super) fn process_reply(&self, env: &Env, listener: &Listener, reply: Reply) {
        let outcome = match reply {
            Reply::Acknowledged => self.writer.borrow_mut().outbox.taken(1).map(|()| Outcome::Again),
            Reply::NotReceived => self.handle_missed(),
        };
        // The messages that waited can be written now. If there is a handle among them, its acknowledgement will come
        // soon, so it counts as sent (for busy polling).
        if !self.writer.borrow().outbox.handles.is_empty() {
            self.writer.borrow_mut().note_sent();
        }
        self.report_outcome(env, listener, outcome);
    }

    fn report_outcome(
        &self,
        env: &Env,
        listener: &Listener,
        outcome: std::result::Result<Outcome, NeverSent>,
    ) {
        match outcome {
            Ok(Outcome::Again | Outcome::Later) => {}
            Ok(Outcome::Lost(_)) => listener.emit(env, Event::Undelivered, []),
            Err(NeverSent) => {
                if let Ok(context) = self.node.context(env) {
                    let error = context.broken_handle("it acknowledged a handle that was not sent");
                    listener.emit(env, Event::Error, [&engine::thrown(env, error)]);
                }
            }
        }
    }

    /// The other end did not receive the oldest handle: sends it again, or gives it up.
    fn handle_missed(&self) -> std::result::Result<Outcome, NeverSent> {
        let outcome = self.writer.borrow_mut().outbox.missed();
        match outcome {
            Ok(Outcome::Later) => self.schedule_housekeeping(),
            Ok(Outcome::Lost(number)) if self.peer.borrow().is_native() => {
                self.send_word(&Word::HandleLost { number });
            }
            _ => {}
        }
        outcome
    }

    /// Sends the handles again that a native end did not receive.
    pub(super) fn repeat_missed(&self) {
        let mode = self.mode;
        self.writer.borrow_mut().outbox.repeat_missed(|number| {
            let mut bytes = vec![];
            encode::push_word(mode, &Word::HandleAgain { number }, &mut bytes);
            bytes
        });
        self.write_or_keep_failure();
    }
}

/// The type that `message` announces, and the type of the socket `fd`. `None` if these do not match.
fn what_fits(env: &Env, message: &Unknown, fd: &OwnedFd) -> Option<(Kind, Socket)> {
    let kind = kind_of(env, message)?;
    let socket = Socket::of(fd.as_fd()).filter(|socket| kind.is_made_of(*socket))?;
    Some((kind, socket))
}

/// The handle type that `message` announces.
pub(super) fn kind_of(env: &Env, message: &Unknown) -> Option<Kind> {
    let name = text(env, &engine::property(env, message, c"type").ok()?)?;
    Kind::from_name(name.as_bytes())
}
