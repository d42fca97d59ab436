//! How many sockets of a server live in other processes: what `server.getConnections()` and `server.close()` of a parent ask of its
//! children, and what a child answers (Node.js documentation, «server.getConnections»).

use std::collections::HashMap;

/// What a parent asks of the sockets of one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// Tell me when none of them is open any more.
    Close,
    /// How many are open?
    Count,
}

impl Question {
    /// The `cmd` of the message that asks.
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

/// What a child says of the sockets that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    AllClosed,
    Count(u32),
}

impl Answer {
    /// The `cmd` of the message that says it.
    #[must_use]
    pub fn command(self) -> &'static str {
        match self {
            Self::AllClosed => Question::Close.answer(),
            Self::Count(_) => Question::Count.answer(),
        }
    }
}

/// The sockets of one server that live here.
#[derive(Debug, Default)]
struct Living {
    count: u32,
    /// The parent wants to know when there are none.
    is_awaited: bool,
}

/// The sockets of servers that one end of a channel has sent and received, by the key of their server. `A` is who has asked.
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
    /// A socket of this server is sent. Says whether it is the first one.
    pub fn note_sent(&mut self, key: &str) -> bool {
        let is_first = !self.asked.contains_key(key);
        if is_first {
            self.asked.insert(key.to_owned(), vec![]);
        }
        is_first
    }

    /// The other end is asked about the sockets of a server.
    pub fn ask(&mut self, key: &str, question: Question, asker: A) {
        self.asked.entry(key.to_owned()).or_default().push((question, asker));
    }

    /// A message has come. Gives those who have asked for it.
    pub fn take_askers(&mut self, key: &str, command: &str) -> Vec<A> {
        let Some(asked) = self.asked.get_mut(key) else {
            return vec![];
        };
        asked.extract_if(.., |(question, _)| question.answer() == command).map(|(_, asker)| asker).collect()
    }

    /// Nobody will answer any more. Gives those who have asked.
    pub fn take_all_askers(&mut self) -> Vec<A> {
        self.asked.values_mut().flat_map(std::mem::take).map(|(_, asker)| asker).collect()
    }

    /// A socket of this server has come.
    pub fn opened(&mut self, key: &str) {
        self.living.entry(key.to_owned()).or_default().count += 1;
    }

    /// One has closed. Gives what the other end is to be told.
    pub fn closed(&mut self, key: &str) -> Option<Answer> {
        let living = self.living.get_mut(key)?;
        living.count = living.count.saturating_sub(1);
        (living.count == 0 && living.is_awaited).then_some(Answer::AllClosed)
    }

    /// A message has come. Gives what is to be answered.
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
