//! What an end sends: into its outbox, and from there to the socket, at once or together with what follows.

use std::cell::RefMut;
use std::os::fd::RawFd;
use std::rc::Rc;

use napi::{Env, Result, Unknown, ValueType};

use super::encode::{self, Form, Shared};
use super::{Channel, Corked, Phase};
use crate::channel::Mode;
use crate::channel::outbox::Outbox;
use crate::channel::shared::Slots;
use crate::{engine, sys};

/// From so many unwritten bytes on `send()` asks its caller to wait, as the builtin's does.
const HIGH_WATER: usize = 128 * 1024;
/// So many more messages of a tick than the first are written at once; they may be a process's last words.
const AT_ONCE: u32 = 7;
/// So many coalesced bytes are written without waiting for the end of the tick.
const LARGE_WRITE: usize = 64 * 1024;
/// While messages are delivered, answers wait for one another until there are so many bytes.
const ANSWERS: usize = 8 * 1024;

/// How a message is sent.
#[derive(Clone, Copy, Default)]
pub(super) struct Request<'a> {
    /// Called when it is written, or with the error.
    pub callback: Option<Unknown<'a>>,
    /// Errors of the write are swallowed.
    pub is_silent: bool,
    /// Of a handle: the sender goes on with its own.
    pub keeps_open: bool,
}

/// What has become of a message.
pub(super) enum Sent {
    Queued(Queued),
    /// It is not sent, for this reason; others may be.
    Refused(i32),
    /// Nothing can be written any more, for this reason.
    Failed(i32),
}

/// What the sender of a message has to do, and its caller.
#[derive(Default)]
pub(super) struct Queued {
    /// There is room for more.
    has_room: bool,
    /// All is written.
    is_all_written: bool,
    /// It is the first one of its tick: the others are written at its end.
    is_first: bool,
    /// The kernel takes no more descriptors for now.
    is_crowded: bool,
}

impl Channel {
    /// Sends any message, alone. Says whether there is room for more; `None`: there is, and it may not be written yet.
    ///
    /// # Errors
    /// It is no message, or cannot be serialised; what a getter throws.
    pub(super) fn send_value(
        self: &Rc<Self>,
        env: &Env,
        message: &Unknown,
        request: Request,
    ) -> Result<Option<bool>> {
        self.check(env, message)?;
        let sent = self.transmit(env, message, None, &request)?;
        self.after_send(env, sent, &request)
    }

    /// Sends the JSON text of an object.
    pub(super) fn send_text(
        self: &Rc<Self>,
        env: &Env,
        text: &Unknown,
        request: Request,
    ) -> Result<Option<bool>> {
        let sent = self.transmit_as(env, Form::Text, text, None, &request)?;
        self.after_send(env, sent, &request)
    }

    /// Only some values are messages.
    pub(super) fn check(&self, env: &Env, message: &Unknown) -> Result<()> {
        let context = || self.node.context(env);
        match engine::kind(env, message)? {
            ValueType::Object
            | ValueType::Null
            | ValueType::String
            | ValueType::Number
            | ValueType::Boolean => Ok(()),
            ValueType::Undefined => Err(context()?.missing_argument("message")),
            _ => {
                let expected = "one of type string, object, number, or boolean";
                Err(context()?.invalid_type("message", expected, message))
            }
        }
    }

    /// Serialises a message and appends it, along with a duplicate of the descriptor `source`.
    pub(super) fn transmit(
        &self,
        env: &Env,
        message: &Unknown,
        source: Option<RawFd>,
        request: &Request,
    ) -> Result<Sent> {
        let form = self.form_of(env, message)?;
        if self.mode == Mode::Json && form == Form::Text {
            let text = engine::call(env, &self.node.stringify, [message])?;
            // What `toJSON` makes undefined has no text; the builtin sends this word all the same.
            let text = match engine::kind(env, &text)? {
                ValueType::String => text,
                _ => engine::string(env, b"undefined")?,
            };
            return self.transmit_as(env, form, &text, source, request);
        }
        self.transmit_as(env, form, message, source, request)
    }

    fn form_of(&self, env: &Env, message: &Unknown) -> Result<Form> {
        let is_object = engine::kind(env, message)? == ValueType::Object;
        if self.mode == Mode::Json {
            return Ok(if is_object { Form::Text } else { Form::Primitive });
        }
        let buffer_class = &self.node.serialization(env)?.buffer_class;
        Ok(if !is_object {
            Form::Graph
        } else if engine::is_buffer(env, message, buffer_class)? {
            Form::Bytes
        } else if engine::is_full_array_buffer(env, message)? {
            Form::ArrayBuffer
        } else {
            Form::Graph
        })
    }

    fn transmit_as(
        &self,
        env: &Env,
        form: Form,
        message: &Unknown,
        source: Option<RawFd>,
        request: &Request,
    ) -> Result<Sent> {
        if form != Form::Graph {
            return self
                .append(source, request, |out, slots| encode::push_or_share(env, form, message, out, slots));
        }
        // A getter may send, too, so nothing is borrowed, and no descriptor attached, while the engine serialises.
        let append = |bytes: &[u8]| {
            self.append(source, request, |out, slots| encode::push_serialized(bytes, out, slots))
        };
        self.node.serialization(env)?.write(env, message, append)?
    }

    /// Has `push` append a message, or put it into shared memory, where that is given, and append the word for it.
    fn append(
        &self,
        source: Option<RawFd>,
        request: &Request,
        push: impl FnOnce(&mut Vec<u8>, Option<&mut Slots>) -> Result<Shared>,
    ) -> Result<Sent> {
        let is_open = self.phase.get() == Phase::Open;
        if let Some(errno) = self.failure.get().or((!is_open).then_some(libc::EPIPE)) {
            return Ok(Sent::Failed(errno));
        }
        let fd = match source.map(sys::duplicate).transpose() {
            Ok(fd) => fd,
            Err(error) => return Ok(Sent::Refused(sys::errno(&error))),
        };
        let mut outbox = self.outbox.borrow_mut();
        let (start, position) = (outbox.bytes().len(), outbox.end());
        // Beside another descriptor nobody could tell which is which.
        let may_share = self.is_native.get() && fd.is_none();
        let mut slots = self.slots.borrow_mut();
        let shared = push(outbox.bytes(), may_share.then_some(&mut *slots)).inspect_err(|_| {
            outbox.bytes().truncate(start);
        })?;
        drop(slots);
        if let Some(fd) = shared {
            outbox.attach(position, fd);
            self.watch_age();
        }
        if let Some(fd) = fd {
            outbox.attach_handle(position, fd);
        }
        if request.callback.is_none() && !request.is_silent && !self.is_full.get() {
            self.is_unheard.set(true);
        }
        Ok(self.appended(outbox, request.callback.is_some()))
    }

    /// A message has been appended.
    fn appended(&self, mut outbox: RefMut<Outbox>, is_awaited: bool) -> Sent {
        outbox.appended();
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
        let mut queued = Queued::default();
        let is_due = match self.corked.get() {
            Corked::No => {
                self.corked.set(Corked::ForTick);
                self.at_once.set(AT_ONCE);
                queued.is_first = true;
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
            return Sent::Failed(sys::errno(&error));
        }
        let mut outbox = self.outbox.borrow_mut();
        let is_behind = outbox.len() + self.slots.borrow().under_way() >= HIGH_WATER;
        queued.has_room = !is_behind && outbox.handles.has_room();
        queued.is_crowded = outbox.is_crowded();
        queued.is_all_written = outbox.is_empty();
        if queued.is_all_written {
            outbox.take_done();
        }
        Sent::Queued(queued)
    }

    /// Does what follows a `send()`. Says whether there is room for more; `None`: there is, and it may not be written yet.
    pub(super) fn after_send(
        self: &Rc<Self>,
        env: &Env,
        sent: Sent,
        request: &Request,
    ) -> Result<Option<bool>> {
        let queued = match sent {
            Sent::Queued(queued) => queued,
            Sent::Refused(errno) => {
                self.refuse(env, errno, request);
                return Ok(Some(true));
            }
            Sent::Failed(errno) => {
                self.fail_with(env, errno, request);
                return Ok(Some(true));
            }
        };
        if queued.is_all_written {
            self.settle_written(env, u32::MAX);
        }
        match &request.callback {
            Some(callback) if queued.is_all_written => {
                engine::call(env, &self.node.next_tick, [callback, &engine::null(env)?])?;
            }
            Some(callback) => self.await_written(env, callback, request.is_silent)?,
            None => {}
        }
        if queued.is_first {
            self.flush_after_tick(env)?;
        }
        if queued.is_crowded {
            self.retry_later();
        }
        Ok((!queued.has_room || queued.is_all_written).then_some(queued.has_room))
    }
}
