//! Sending: appends a message to the outbox, and writes it to the socket at once or together with later messages.

use std::os::fd::RawFd;
use std::rc::Rc;

use napi::{Env, Result, Unknown, ValueType};

use super::encode::{self, Form, Shared};
use super::{Channel, Phase};
use crate::channel::Mode;
use crate::channel::shared::Slots;
use crate::channel::word::Content;
use crate::channel::writer::Report;
use crate::{engine, sys};

/// From this many unwritten bytes on `send()` returns false, as the builtin's does.
const HIGH_WATER: usize = 128 * 1024;

/// The options of `send()`.
#[derive(Clone, Copy, Default)]
pub(super) struct Request<'a> {
    /// Called when the message has been written, or with the error.
    pub callback: Option<Unknown<'a>>,
    /// Write errors are swallowed.
    pub is_silent: bool,
    /// The sender keeps its copy of the handle.
    pub keeps_open: bool,
}

/// The result of sending a message.
pub(super) enum Sent {
    Queued(Queued),
    /// The message is not sent, because of this errno. Others may still be sent.
    Refused(i32),
    /// Nothing can be written any more, because of this errno.
    Failed(i32),
}

/// What remains to be done for a message that was appended.
#[expect(clippy::struct_excessive_bools, reason = "four answers to four questions, in any combination")]
pub(super) struct Queued {
    /// The sender should go on sending.
    has_room: bool,
    /// Everything has been written.
    is_all_written: bool,
    /// It is the first message of its tick, so a flush at the end of the tick must be scheduled.
    is_first: bool,
    /// Writing must be retried after a delay.
    must_retry: bool,
}

impl Channel {
    /// Sends any message without a handle. Returns whether the sender should go on sending; `None`: yes, and the
    /// message may not have been written yet.
    ///
    /// # Errors
    /// The value cannot be a message, or cannot be serialised; what a getter throws.
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

    /// Sends an object: in json mode given as its JSON text, in advanced mode an object that is neither a Buffer nor
    /// an ArrayBuffer.
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

    /// Checks that a value can be a message.
    pub(super) fn check(&self, env: &Env, message: &Unknown) -> Result<()> {
        let context = || self.node.context(env);
        match engine::kind(message)? {
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

    /// Serialises and appends a message, with a duplicate of the descriptor `source` attached.
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
            // If `toJSON` returns undefined there is no text. The builtin sends `undefined` in that case.
            let text = match engine::kind(&text)? {
                ValueType::String => text,
                _ => engine::string(env, b"undefined")?,
            };
            return self.transmit_as(env, form, &text, source, request);
        }
        self.transmit_as(env, form, message, source, request)
    }

    fn form_of(&self, env: &Env, message: &Unknown) -> Result<Form> {
        let is_object = engine::kind(message)? == ValueType::Object;
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
            // While V8 serialises, a getter may send another message. So nothing is borrowed, and no descriptor
            // attached, before that is done.
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

    /// Appends a message by calling `push`, which may put it into shared memory if it is given slots.
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
        // Not for a message with a handle: the receiver could not tell the two descriptors apart.
        let may_share = self.peer.borrow().is_native() && fd.is_none();
        let mut slots = self.slots.borrow_mut();
        let shared = push(outbox.bytes(), may_share.then_some(&mut *slots)).inspect_err(|_| {
            outbox.bytes().truncate(start);
        })?;
        drop(slots);
        if let Some(fd) = shared {
            outbox.attach(position, fd);
            self.schedule_housekeeping();
        }
        if let Some(fd) = fd {
            outbox.attach_handle(position, fd);
        }
        let report = match request {
            Request { callback: Some(_), .. } => Report::Always,
            Request { is_silent: false, .. } => Report::OnFailure,
            _ => Report::Never,
        };
        let due = writer.appended(report);
        let writes = due.now && !writer.is_full();
        drop(writer);
        if writes && let Err(error) = self.write() {
            return Ok(Sent::Failed(sys::errno(&error)));
        }
        Ok(Sent::Queued(self.queued(due.is_first)))
    }

    /// What remains to be done for the message that was just appended.
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
            must_retry: outbox.must_retry(),
        }
    }

    /// Does what remains to be done after a message was sent. Returns the same as [`Channel::send_value`].
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
        if queued.must_retry {
            self.retry_later();
        }
        Ok((!queued.has_room || queued.is_all_written).then_some(queued.has_room))
    }
}
