//! Sockets and servers on their way to the other end: what there is, and which have not been acknowledged.
//!
//! To the builtin's end one handle is under way at a time, and what is sent after it waits for the acknowledgement. Two native
//! ends have many under way; each still says, in order, which handles it has got.

use std::collections::VecDeque;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use nix::sys::socket::{
    AddressFamily, SockType, SockaddrLike, SockaddrStorage, getsockname, getsockopt, sockopt,
};

use crate::sys;

/// As often a handle is sent again that has not arrived: at once, as the builtin does it; and to a native end every 50 to 100 ms.
const MOST_RETRIES: u8 = 3;
const MOST_LATE_RETRIES: u8 = 100;
/// So many handles are under way between two native ends.
pub const MOST: u64 = 128;
/// The kernel lets all processes of a user have as many descriptors under way as one may have open: this part is for one channel.
const PART: u64 = 4;

/// What can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    NetNative,
    NetServer,
    NetSocket,
    DgramNative,
    DgramSocket,
}

/// What a descriptor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    Tcp,
    Pipe,
    Udp,
}

impl Kind {
    pub const ALL: [Self; 5] =
        [Self::NetNative, Self::NetServer, Self::NetSocket, Self::DgramNative, Self::DgramSocket];

    /// Its `type` in the message that announces it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NetNative => "net.Native",
            Self::NetServer => "net.Server",
            Self::NetSocket => "net.Socket",
            Self::DgramNative => "dgram.Native",
            Self::DgramSocket => "dgram.Socket",
        }
    }

    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().as_bytes() == name)
    }

    /// What kind a raw handle of this class is.
    #[must_use]
    pub fn of_class(name: &[u8]) -> Option<Self> {
        match name {
            b"TCP" | b"Pipe" => Some(Self::NetNative),
            b"UDP" => Some(Self::DgramNative),
            _ => None,
        }
    }

    /// Whether one can be made of such a descriptor.
    #[must_use]
    pub fn is_made_of(self, socket: Socket) -> bool {
        match self {
            Self::NetNative | Self::NetServer | Self::NetSocket => socket != Socket::Udp,
            Self::DgramNative | Self::DgramSocket => socket == Socket::Udp,
        }
    }
}

impl Socket {
    /// Looks at a descriptor that has come. `None`: nothing that can be sent.
    #[must_use]
    pub fn of(fd: BorrowedFd) -> Option<Self> {
        let kind = getsockopt(&fd, sockopt::SockType).ok()?;
        let family = getsockname::<SockaddrStorage>(fd.as_raw_fd()).ok()?.family()?;
        let is_internet = matches!(family, AddressFamily::Inet | AddressFamily::Inet6);
        match kind {
            SockType::Stream if is_internet => Some(Self::Tcp),
            SockType::Stream if family == AddressFamily::Unix => Some(Self::Pipe),
            SockType::Datagram if is_internet => Some(Self::Udp),
            _ => None,
        }
    }
}

/// A handle that has not been acknowledged. Positions are those of the outbox.
#[derive(Debug)]
pub struct Flight {
    /// Where its message begins.
    start: u64,
    /// Where its message ends, once that is known.
    end: Option<u64>,
    /// Up to where may be written while the builtin's end has not acknowledged it.
    until: u64,
    pub fd: Rc<OwnedFd>,
    /// Its number among all, by which the other end knows it again.
    pub number: u32,
    retries: u8,
}

impl Flight {
    /// Where its message is.
    #[must_use]
    pub fn message(&self) -> Range<u64> {
        self.start..self.end.unwrap_or(self.start)
    }
}

/// What to do about a handle that the other end has not got.
#[derive(Debug)]
pub enum Missed {
    /// Send its message again.
    Repeat(Flight),
    /// It has been sent often enough.
    GivenUp(u32),
}

/// The other end has told of a handle that it was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeverSent;

/// The handles of one end that have not been acknowledged, oldest first.
#[derive(Debug, Default)]
pub struct Handles {
    flights: VecDeque<Flight>,
    /// How many may be under way at once between two native ends; 0: the other is not known to be one.
    most: usize,
    /// How many messages wait behind the handle that is under way to the builtin's end.
    behind: usize,
    /// The number of the next one.
    next: u32,
    /// Nobody can wait for acknowledgements any more.
    is_last: bool,
}

impl Handles {
    /// The other end is a native one.
    pub fn pipeline(&mut self) {
        let limit = sys::most_descriptors();
        self.most = (limit / PART).clamp(1, MOST) as usize;
    }

    #[must_use]
    pub fn is_pipelined(&self) -> bool {
        self.most > 0
    }

    /// The process ends: what waits is written all the same.
    pub fn wait_no_more(&mut self) {
        self.is_last = true;
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flights.is_empty()
    }

    /// The message that was appended at `start`, and that [`Handles::appended`] is told of next, takes `fd` along.
    pub fn begin(&mut self, start: u64, fd: Rc<OwnedFd>) {
        self.flights.push_back(Flight { start, end: None, until: start, fd, number: self.next, retries: 0 });
        self.next = self.next.wrapping_add(1);
    }

    /// A message has been appended, up to `end`.
    pub fn appended(&mut self, end: u64) {
        let count = self.flights.len();
        match self.flights.back_mut() {
            Some(flight) if flight.end.is_none() => {
                (flight.end, flight.until) = (Some(end), end);
                self.behind += usize::from(count > 1);
            }
            Some(_) => self.behind += 1,
            None => {}
        }
    }

    /// Up to where may be written now; `None`: everything.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        match self.most {
            _ if self.is_last => None,
            0 => self.flights.front().filter(|flight| flight.end.is_some()).map(|flight| flight.until),
            most => Some(self.flights.get(most)?.start),
        }
    }

    /// From where on bytes may have to be written again.
    #[must_use]
    pub fn kept_from(&self) -> Option<u64> {
        Some(self.flights.front()?.start)
    }

    /// Whether the sender should go on: as the builtin says it, where one message may wait behind a handle.
    #[must_use]
    pub fn has_room(&self) -> bool {
        if self.most == 0 { self.behind <= 1 } else { self.flights.len() <= self.most }
    }

    /// The other end has got the oldest ones. `written`: up to where has been written.
    ///
    /// # Errors
    /// Not so many have been sent.
    pub fn taken(&mut self, count: u32, written: u64) -> Result<(), NeverSent> {
        for _ in 0..count {
            self.pop_sent(written)?;
        }
        Ok(())
    }

    /// The other end has not got the oldest one.
    ///
    /// # Errors
    /// None has been sent.
    pub fn missed(&mut self, written: u64) -> Result<Missed, NeverSent> {
        let mut flight = self.pop_sent(written)?;
        let most = if self.is_pipelined() { MOST_LATE_RETRIES } else { MOST_RETRIES };
        if flight.retries == most {
            return Ok(Missed::GivenUp(flight.number));
        }
        flight.retries += 1;
        Ok(Missed::Repeat(flight))
    }

    /// Where the message of a handle that has been missed is put in again; `None`: at the end.
    #[must_use]
    pub fn place_for(&self, flight: &Flight) -> Option<u64> {
        if self.most == 0 { Some(flight.until) } else { self.limit() }
    }

    /// What is not written up to `written` will not be.
    pub fn forget_unsent(&mut self, written: u64) {
        self.flights.retain(|flight| flight.end.is_some_and(|end| end <= written));
        self.behind = 0;
    }

    /// A handle's message has been put in again.
    pub fn repeated(&mut self, mut flight: Flight, Range { start, end }: Range<u64>) {
        (flight.start, flight.end, flight.until) = (start, Some(end), end);
        self.flights.insert(self.most.min(self.flights.len()), flight);
    }

    /// So many bytes have been put in at `position`.
    pub fn shift(&mut self, position: u64, length: u64) {
        for flight in &mut self.flights {
            if flight.start >= position {
                flight.start += length;
            }
            if flight.until >= position {
                flight.until += length;
            }
            if let Some(end) = &mut flight.end
                && *end > position
            {
                *end += length;
            }
        }
    }

    fn pop_sent(&mut self, written: u64) -> Result<Flight, NeverSent> {
        let is_sent = self.flights.front().and_then(|flight| flight.end).is_some_and(|end| end <= written);
        let flight = if is_sent { self.flights.pop_front() } else { None }.ok_or(NeverSent)?;
        // The next one goes out, with the messages up to the one after it.
        self.behind = self.flights.len().saturating_sub(1);
        Ok(flight)
    }
}
