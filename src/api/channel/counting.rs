//! The counting of a server's sockets that live at the other end, or here. What is asked and answered is in
//! [`crate::channel::counting`].

use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::rc::Rc;

use napi::{Env, Result, Unknown};

use super::conversion::key_of;
use super::handles::kind_of;
use super::sending::Request;
use super::{Channel, Leaving, Phase};
use crate::channel::counting::{Answer, Counting, Question};
use crate::channel::handles::Kind;
use crate::engine::{self, Call, Held};
use crate::reactor::Callback;

/// What one end knows of the sockets of servers.
#[derive(Default)]
pub(super) struct Sockets {
    counting: RefCell<Counting<(Question, Held)>>,
    /// The keys of those that were announced and have not come: they are counted, too.
    missing: RefCell<HashMap<u32, String>>,
    /// What listens to their end, by their keys.
    close_listeners: RefCell<HashMap<String, Held>>,
}

impl Channel {
    pub(super) fn counting(&self) -> RefMut<'_, Counting<(Question, Held)>> {
        self.sockets.counting.borrow_mut()
    }

    /// A server asks for its sockets at the other end: `callback(null, count)`.
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
            return self.say(env, question.command(), key, None);
        }
        let mut outcome = Ok(());
        answer(env, vec![asker], 0.0, |callback, arguments| {
            outcome = engine::call(env, callback, arguments).map(drop);
        });
        outcome
    }

    fn is_connected(&self) -> bool {
        self.phase.get() == Phase::Open && matches!(&*self.leaving.borrow(), Leaving::No)
    }

    fn say(self: &Rc<Self>, env: &Env, command: &str, key: &str, count: Option<u32>) -> Result<()> {
        let command = engine::string(env, command.as_bytes())?;
        let message = engine::object(env, &[(c"cmd", command)])?;
        if let Some(count) = count {
            engine::set_property(env, &message, c"count", &engine::number(env, count.into())?)?;
        }
        engine::set_property(env, &message, c"key", &engine::string(env, key.as_bytes())?)?;
        self.send_value(env, &message, Request { is_silent: true, ..Request::default() }).map(drop)
    }

    fn say_answer(self: &Rc<Self>, env: &Env, key: &str, answer: Answer) -> Result<()> {
        if !self.is_connected() {
            return Ok(());
        }
        let count = if let Answer::Count(count) = answer { Some(count) } else { None };
        self.say(env, answer.command(), key, count)
    }

    /// An internal message has come, which may be about sockets.
    pub(super) fn hear_of_sockets(self: &Rc<Self>, env: &Env, command: &str, message: &Unknown) {
        if !command.starts_with("NODE_SOCKET_") {
            return;
        }
        let Some(key) = key_of(env, message) else {
            return;
        };
        let answered = self.counting().answer(&key, command);
        if let Some(said) = answered {
            // It fails only while the environment goes away.
            let _ = self.say_answer(env, &key, said);
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

    /// The channel is closed: nobody will answer any more.
    pub(super) fn answer_all(&self, env: &Env, context: &Callback) {
        let askers = self.counting().take_all_askers();
        answer(env, askers, 0.0, |callback, arguments| {
            let _ = context.call_held(env, callback, arguments);
        });
    }

    /// The function that is called when a socket which is counted here has closed.
    pub(super) fn close_listener<'a>(self: &Rc<Self>, env: &'a Env, key: &str) -> Result<Unknown<'a>> {
        if let Some(listener) = self.sockets.close_listeners.borrow().get(key) {
            return listener.get(env);
        }
        // It is kept by this channel, which it does not keep.
        let (channel, name) = (Rc::downgrade(self), key.to_owned());
        let listener = engine::function(env, move |env, _: &Call<0>| {
            channel.upgrade().map_or(Ok(()), |channel| channel.socket_closed(env, &name)).map(|()| None)
        })?;
        let held = Held::new(env, &listener)?;
        self.sockets.close_listeners.borrow_mut().insert(key.to_owned(), held);
        Ok(listener)
    }

    /// A socket that was counted here has closed.
    pub(super) fn socket_closed(self: &Rc<Self>, env: &Env, key: &str) -> Result<()> {
        let said = self.counting().closed(key);
        said.map_or(Ok(()), |said| self.say_answer(env, key, said))
    }

    /// The socket that a message announces has not come: it will, so it is counted.
    pub(super) fn count_missing(&self, env: &Env, message: &Unknown, number: u32) {
        if let Some(key) = counted_key(env, message)
            && self.sockets.missing.borrow_mut().insert(number, key.clone()).is_none()
        {
            self.counting().opened(&key);
        }
    }

    /// What a message announces has come. `is_fit`: an object can be made of it.
    pub(super) fn count_arrived(self: &Rc<Self>, env: &Env, message: &Unknown, number: u32, is_fit: bool) {
        let was_missing = self.sockets.missing.borrow_mut().remove(&number);
        match (was_missing, is_fit) {
            (None, true) => {
                if let Some(key) = counted_key(env, message) {
                    self.counting().opened(&key);
                }
            }
            (Some(key), false) => {
                // It fails only while the environment goes away.
                let _ = self.socket_closed(env, &key);
            }
            _ => {}
        }
    }

    /// What is missing will not come.
    pub(super) fn count_lost(self: &Rc<Self>, env: &Env, number: u32) {
        let key = self.sockets.missing.borrow_mut().remove(&number);
        if let Some(key) = key {
            // It fails only while the environment goes away.
            let _ = self.socket_closed(env, &key);
        }
    }
}

/// The key that a message's socket is counted under; `None`: it announces no socket of a server.
pub(super) fn counted_key(env: &Env, message: &Unknown) -> Option<String> {
    if kind_of(env, message)? == Kind::NetSocket { key_of(env, message) } else { None }
}

/// Calls those who have asked: `callback(null, count)`, or without a count where all have closed.
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
