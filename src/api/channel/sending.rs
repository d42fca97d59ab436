//! What an end sends: into its outbox, and from there to the socket, at once or together with what follows.

use std::os::fd::RawFd;
use std::rc::Rc;

use napi::{Env, Result, Unknown, ValueType};

use super::encode::{self, Form, Shared};
use super::{Channel, Phase};
use crate::channel::Mode;
use crate::channel::shared::Slots;
use crate::channel::word::Content;
use crate::channel::writer::Heard;
use crate::{engine, sys};

/// From so many unwritten bytes on `send()` asks its caller to wait, as the builtin's does.
const HIGH_WATER: usize = 128 * 1024;

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
#[expect(clippy::struct_excessive_bools, reason = "four answers to four questions, in any combination")]
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

    /// Sends an object: in json mode its text, in advanced mode what is neither a Buffer nor an ArrayBuffer.
    pub(super) fn send_prepared(
        self: &Rc<Self>,
        env: &Env,
        message: &Unknown,
        request: Request,
    ) -> Result<Option<bool>> {
        let form = if self.mode == Mode::Json { Form::Text } else { Form::Graph };
        let sent = self.transmit_as(env, form, message, None, &request)?;
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
        let append = |bytes: &[u8], content| {
            self.append(source, request, |out, slots| encode::push_bytes(bytes, content, out, slots))
        };
        let sent = match form {
            Form::Primitive | Form::Text => {
                let is_text = form == Form::Text;
                return self.append(source, request, |out, slots| {
                    encode::push_line(env, is_text, message, out, slots)
                });
            }
            // A getter may send, too, so nothing is borrowed, and no descriptor attached, while the engine serialises.
            Form::Graph => {
                let append = |bytes: &[u8]| append(bytes, Content::Message);
                Some(self.node.serialization(env)?.write(env, message, append)?)
            }
            Form::Bytes => engine::with_bytes(env, message, |bytes| append(bytes, Content::Buffer)),
            Form::ArrayBuffer => {
                engine::with_array_buffer(env, message, |bytes| append(bytes, Content::ArrayBuffer))
            }
        };
        sent.unwrap_or_else(|| Err(napi::Error::from_reason("child-process-rs: no bytes")))
    }

    /// Has `push` append a message, or put it into shared memory, where that is given, and append the word for it.
    fn append(
        &self,
        source: Option<RawFd>,
        request: &Request,
        push: impl FnOnce(&mut Vec<u8>, Option<&mut Slots>) -> Result<Shared>,
    ) -> Result<Sent> {
        let is_open = self.phase.get() == Phase::Open;
        if let Some(errno) = self.writer.borrow().failure().or((!is_open).then_some(libc::EPIPE)) {
            return Ok(Sent::Failed(errno));
        }
        let fd = match source.map(sys::duplicate).transpose() {
            Ok(fd) => fd,
            Err(error) => return Ok(Sent::Refused(sys::errno(&error))),
        };
        let mut writer = self.writer.borrow_mut();
        let outbox = &mut writer.outbox;
        let (start, position) = (outbox.bytes().len(), outbox.end());
        // Beside another descriptor nobody could tell which is which.
        let may_share = self.peer.borrow().is_native() && fd.is_none();
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
        let heard = match request {
            Request { callback: Some(_), .. } => Heard::Awaited,
            Request { is_silent: false, .. } => Heard::OnFailure,
            _ => Heard::Never,
        };
        let due = writer.appended(heard);
        let writes = due.now && !writer.is_full();
        drop(writer);
        if writes && let Err(error) = self.write() {
            return Ok(Sent::Failed(sys::errno(&error)));
        }
        Ok(Sent::Queued(self.queued(due.is_first)))
    }

    /// A message has been appended, and perhaps written.
    fn queued(&self, is_first: bool) -> Queued {
        let outbox = &mut self.writer.borrow_mut().outbox;
        let is_behind = outbox.len() + self.slots.borrow().under_way() >= HIGH_WATER;
        let is_all_written = outbox.is_empty();
        if is_all_written {
            outbox.take_done();
        }
        Queued {
            has_room: !is_behind && outbox.handles.has_room(),
            is_all_written,
            is_first,
            is_crowded: outbox.is_crowded(),
        }
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
            self.call_after_tick(env, false)?;
        }
        if queued.is_crowded {
            self.retry_later();
        }
        Ok((!queued.has_room || queued.is_all_written).then_some(queued.has_room))
    }
}
