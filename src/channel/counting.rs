//! Counts the sockets of a server that live in other processes. For `server.getConnections()` and `server.close()`, a
//! parent asks its children about the sockets that it has sent them, and they answer (Node.js documentation,
//! «server.getConnections»).

use std::collections::HashMap;

/// What a parent asks a child about the sockets of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Asks to be told when none of them is open any more.
    Close,
    /// Asks how many are open.
    Count,
}

impl Question {
    /// The `cmd` of the message that carries the question.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::Close => "NODE_SOCKET_NOTIFY_CLOSE",
            Self::Count => "NODE_SOCKET_GET_COUNT",
        }
    }

    fn answer(self) -> &'static str {
        match self {
            Self::Close => "NODE_SOCKET_ALL_CLOSED",
            Self::Count => "NODE_SOCKET_COUNT",
        }
    }
}

/// A child's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    AllClosed,
    Count(u32),
}

impl Answer {
    /// The `cmd` of the message that carries the answer.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::AllClosed => Question::Close.answer(),
            Self::Count(_) => Question::Count.answer(),
        }
    }
}

/// The received sockets of one server that are still open in this process.
#[derive(Debug, Default)]
struct Living {
    count: u32,
    /// The parent has asked to be told when there are none.
    is_awaited: bool,
}

/// The sockets of servers that one end of a channel has sent and received, by the key of their server. `A` identifies
/// whoever asked a question, so that the answer can be passed on.
#[derive(Debug)]
pub struct Counting<A> {
    asked: HashMap<String, Vec<(Question, A)>>,
    living: HashMap<String, Living>,
}

impl<A> Default for Counting<A> {
    fn default() -> Self {
        Self { asked: HashMap::new(), living: HashMap::new() }
    }
}

impl<A> Counting<A> {
    /// A socket of this server has been sent. Returns whether it is the first one.
    pub fn note_sent(&mut self, key: &str) -> bool {
        let is_first = !self.asked.contains_key(key);
        if is_first {
            self.asked.insert(key.to_owned(), vec![]);
        }
        is_first
    }

    /// Records that the other end is being asked about the sockets of a server.
    pub fn ask(&mut self, key: &str, question: Question, asker: A) {
        self.asked.entry(key.to_owned()).or_default().push((question, asker));
    }

    /// A message has come. If it is an answer, takes those who asked for it.
    pub fn take_askers(&mut self, key: &str, command: &str) -> Vec<A> {
        let Some(asked) = self.asked.get_mut(key) else {
            return vec![];
        };
        asked.extract_if(.., |(question, _)| question.answer() == command).map(|(_, asker)| asker).collect()
    }

    /// No answers will come any more. Takes all who still wait for one.
    pub fn take_all_askers(&mut self) -> Vec<A> {
        self.asked.values_mut().flat_map(std::mem::take).map(|(_, asker)| asker).collect()
    }

    /// A socket of this server has been received.
    pub fn opened(&mut self, key: &str) {
        self.living.entry(key.to_owned()).or_default().count += 1;
    }

    /// One of them has closed. Returns the answer that is now due, if any.
    pub fn closed(&mut self, key: &str) -> Option<Answer> {
        let living = self.living.get_mut(key)?;
        living.count = living.count.saturating_sub(1);
        (living.count == 0 && living.is_awaited).then_some(Answer::AllClosed)
    }

    /// A message has come. Returns the answer to it if it is a question that can be answered now.
    pub fn answer(&mut self, key: &str, command: &str) -> Option<Answer> {
        let living = self.living.get_mut(key)?;
        if command == Question::Count.command() {
            return Some(Answer::Count(living.count));
        }
        if command != Question::Close.command() {
            return None;
        }
        living.is_awaited = true;
        (living.count == 0).then_some(Answer::AllClosed)
    }
}
