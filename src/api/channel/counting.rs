//! Sends and answers the messages that count a server's sockets in other processes. The counting itself is in
//! [`crate::channel::counting`].

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::rc::Rc;

use napi::{Env, Result, Unknown};

use super::conversion::key_of;
use super::handles::kind_of;
use super::sending::Request;
use super::{Channel, Disconnecting, Phase};
use crate::channel::counting::{Answer, Counting, Question};
use crate::channel::handles::Kind;
use crate::engine::{self, Call, Held};
use crate::reactor::Callback;

/// The sockets of servers that one end has sent and received.
#[derive(Default)]
pub(super) struct Sockets {
    counting: RefCell<Counting<(Question, Held)>>,
    /// The keys of sockets that were announced and are missing, by handle number. They are counted already.
    missing: RefCell<HashMap<u32, String>>,
    /// The 'close' listeners of received sockets, by server key.
    close_listeners: RefCell<HashMap<String, Held>>,
}

impl Channel {
    pub(super) fn counting(&self) -> RefMut<'_, Counting<(Question, Held)>> {
        self.sockets.counting.borrow_mut()
    }

    /// A server asks about its sockets at the other end. `callback(null, count)` gets the answer.
    pub(super) fn ask(
        self: &Rc<Self>,
        env: &Env,
        key: &str,
        question: Question,
        callback: &Unknown,
    ) -> Result<()> {
        let asker = (question, Held::new(env, callback)?);
        if self.is_connected() {
            self.counting().ask(key, question, asker);
            return self.send_socket_message(env, question.command(), key, None);
        }
        let mut outcome = Ok(());
        answer(env, vec![asker], 0.0, |callback, arguments| {
            outcome = engine::call(env, callback, arguments).map(drop);
        });
        outcome
    }

    fn is_connected(&self) -> bool {
        self.phase.get() == Phase::Open && matches!(&*self.disconnecting.borrow(), Disconnecting::No)
    }

    fn send_socket_message(
        self: &Rc<Self>,
        env: &Env,
        command: &str,
        key: &str,
        count: Option<u32>,
    ) -> Result<()> {
        let command = engine::string(env, command.as_bytes())?;
        let message = engine::object(env, &[(c"cmd", command)])?;
        if let Some(count) = count {
            engine::set_property(env, &message, c"count", &engine::number(env, count.into())?)?;
        }
        engine::set_property(env, &message, c"key", &engine::string(env, key.as_bytes())?)?;
        self.send_value(env, &message, Request { is_silent: true, ..Request::default() }).map(drop)
    }

    fn send_answer(self: &Rc<Self>, env: &Env, key: &str, answer: Answer) -> Result<()> {
        if !self.is_connected() {
            return Ok(());
        }
        let count = if let Answer::Count(count) = answer { Some(count) } else { None };
        self.send_socket_message(env, answer.command(), key, count)
    }

    /// Handles an internal message if it is about the counting of sockets.
    pub(super) fn process_socket_message(self: &Rc<Self>, env: &Env, command: &str, message: &Unknown) {
        if !command.starts_with("NODE_SOCKET_") {
            return;
        }
        let Some(key) = key_of(env, message) else {
            return;
        };
        let answered = self.counting().answer(&key, command);
        if let Some(said) = answered {
            // Fails only while the environment shuts down.
            let _ = self.send_answer(env, &key, said);
        }
        let askers = self.counting().take_askers(&key, command);
        let count = engine::property(env, message, c"count").and_then(|count| engine::to_f64(env, &count));
        let listener = self.listener.borrow().clone();
        if let Some(listener) = listener {
            answer(env, askers, count.unwrap_or(0.0), |callback, arguments| {
                listener.call(env, callback, arguments);
            });
        }
    }

    /// The channel is closed: answers all open questions with 0.
    pub(super) fn answer_all(&self, env: &Env, context: &Callback) {
        let askers = self.counting().take_all_askers();
        answer(env, askers, 0.0, |callback, arguments| {
            let _ = context.call_held(env, callback, arguments);
        });
    }

    /// The 'close' listener for received sockets of the server with this key.
    pub(super) fn close_listener<'a>(self: &Rc<Self>, env: &'a Env, key: &str) -> Result<Unknown<'a>> {
        if let Some(listener) = self.sockets.close_listeners.borrow().get(key) {
            return listener.get(env);
        }
        // The channel holds this function, so the function holds only a weak reference to the channel.
        let (channel, name) = (Rc::downgrade(self), key.to_owned());
        let listener = engine::function(env, move |env, _: &Call<0>| {
            channel.upgrade().map_or(Ok(()), |channel| channel.socket_closed(env, &name)).map(|()| None)
        })?;
        let held = Held::new(env, &listener)?;
        self.sockets.close_listeners.borrow_mut().insert(key.to_owned(), held);
        Ok(listener)
    }

    /// A received socket has closed.
    pub(super) fn socket_closed(self: &Rc<Self>, env: &Env, key: &str) -> Result<()> {
        let said = self.counting().closed(key);
        said.map_or(Ok(()), |said| self.send_answer(env, key, said))
    }

    /// The socket that a message announces is missing and will be sent again: counts it already.
    pub(super) fn count_missing(&self, env: &Env, message: &Unknown, number: u32) {
        if let Some(key) = counted_key(env, message)
            && self.sockets.missing.borrow_mut().insert(number, key.clone()).is_none()
        {
            self.counting().opened(&key);
        }
    }

    /// The handle that a message announces has arrived. `is_fit`: an object can be created from it.
    pub(super) fn count_arrived(self: &Rc<Self>, env: &Env, message: &Unknown, number: u32, is_fit: bool) {
        let was_missing = self.sockets.missing.borrow_mut().remove(&number);
        match (was_missing, is_fit) {
            (None, true) => {
                if let Some(key) = counted_key(env, message) {
                    self.counting().opened(&key);
                }
            }
            (Some(key), false) => {
                // Fails only while the environment shuts down.
                let _ = self.socket_closed(env, &key);
            }
            _ => {}
        }
    }

    /// A missing handle will not come any more.
    pub(super) fn count_lost(self: &Rc<Self>, env: &Env, number: u32) {
        let key = self.sockets.missing.borrow_mut().remove(&number);
        if let Some(key) = key {
            // Fails only while the environment shuts down.
            let _ = self.socket_closed(env, &key);
        }
    }
}

/// The key under which the announced socket is counted. `None` if the message does not announce a socket of a server.
pub(super) fn counted_key(env: &Env, message: &Unknown) -> Option<String> {
    if kind_of(env, message)? == Kind::NetSocket { key_of(env, message) } else { None }
}

/// Calls the callbacks of those who asked: `callback(null, count)`, or `callback(null)` if they asked about the
/// closing.
fn answer(env: &Env, askers: Vec<(Question, Held)>, count: f64, mut call: impl FnMut(&Held, [&Unknown; 2])) {
    for (question, callback) in askers {
        let count = match question {
            Question::Close => engine::undefined(env),
            Question::Count => engine::number(env, count),
        };
        if let (Ok(null), Ok(count)) = (engine::null(env), count) {
            call(&callback, [&null, &count]);
        }
    }
}
