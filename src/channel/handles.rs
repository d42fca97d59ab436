//! The types of handles (sockets and servers) that can be sent, and the handles in flight: those that the other end
//! has not acknowledged.
//!
//! To a builtin end, one handle is in flight at a time, and later messages wait for its acknowledgement. Between two
//! native ends many are in flight; each end still acknowledges them in order.

use std::collections::VecDeque;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::rc::Rc;

use nix::sys::socket::{
    AddressFamily, SockType, SockaddrLike, SockaddrStorage, getsockname, getsockopt, sockopt,
};

use crate::sys;

/// How often a handle that did not arrive is sent again to a builtin end. It is sent again at once, as the builtin
/// does.
const MAX_RETRIES: u8 = 3;
/// How often a handle that did not arrive is sent again to a native end, every 50 to 100 ms.
const MAX_NATIVE_RETRIES: u8 = 100;
/// The most handles in flight between two native ends.
pub const MAX_IN_FLIGHT: u64 = 128;
/// The kernel allows all processes of a user together as many descriptors in flight as one process may have open. One
/// channel uses at most this fraction of them: a quarter.
const CHANNELS_PER_LIMIT: u64 = 4;

/// The type of a handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    NetNative,
    NetServer,
    NetSocket,
    DgramNative,
    DgramSocket,
}

/// The type of socket behind a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    Tcp,
    Pipe,
    Udp,
}

impl Kind {
    pub const ALL: [Self; 5] =
        [Self::NetNative, Self::NetServer, Self::NetSocket, Self::DgramNative, Self::DgramSocket];

    /// The `type` in the message that announces such a handle.
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

    /// The type of a raw libuv handle, by the name of its JavaScript class.
    #[must_use]
    pub fn of_class(name: &[u8]) -> Option<Self> {
        match name {
            b"TCP" | b"Pipe" => Some(Self::NetNative),
            b"UDP" => Some(Self::DgramNative),
            _ => None,
        }
    }

    /// Whether a handle of this type can be created from such a socket.
    #[must_use]
    pub fn is_made_of(self, socket: Socket) -> bool {
        match self {
            Self::NetNative | Self::NetServer | Self::NetSocket => socket != Socket::Udp,
            Self::DgramNative | Self::DgramSocket => socket == Socket::Udp,
        }
    }
}

impl Socket {
    /// Determines the type of a received descriptor. `None` if it is not a socket that can be sent as a handle.
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

/// A handle that has not been acknowledged. Its positions are stream positions of the outbox.
#[derive(Debug)]
pub struct InFlight {
    /// The position at which its message begins.
    start: u64,
    /// The position at which its message ends, once the message has been appended.
    end: Option<u64>,
    /// Nothing past this position may be written until a builtin end has acknowledged the handle.
    until: u64,
    pub fd: Rc<OwnedFd>,
    /// Its sequence number; when it is sent again, it is announced by this number.
    pub number: u32,
    retries: u8,
}

impl InFlight {
    /// The positions of its message.
    #[must_use]
    pub fn message(&self) -> Range<u64> {
        self.start..self.end.unwrap_or(self.start)
    }
}

/// What to do about a handle that the other end did not receive.
#[derive(Debug)]
pub enum Missed {
    /// Send its message again.
    Repeat(InFlight),
    /// Give up the handle of this number: it has been sent too often.
    GivenUp(u32),
}

/// The other end has acknowledged a handle that was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NeverSent;

/// The handles in flight from one end, oldest first.
#[derive(Debug, Default)]
pub struct Handles {
    in_flight: VecDeque<InFlight>,
    /// How many may be in flight at once between two native ends; 0 if the other end is not known to be native.
    max_in_flight: usize,
    /// How many messages wait for the acknowledgement of the handle in flight to a builtin end.
    behind: usize,
    /// The sequence number of the next handle.
    next: u32,
    /// The channel is closing, so nothing waits for acknowledgements any more.
    is_closing: bool,
}

impl Handles {
    /// The other end is native: allows many handles in flight.
    pub fn pipeline(&mut self) {
        let limit = sys::most_descriptors();
        self.max_in_flight = (limit / CHANNELS_PER_LIMIT).clamp(1, MAX_IN_FLIGHT) as usize;
    }

    #[must_use]
    pub fn is_pipelined(&self) -> bool {
        self.max_in_flight > 0
    }

    /// The channel is closing: what waits for an acknowledgement is written without it.
    pub fn stop_waiting(&mut self) {
        self.is_closing = true;
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// `fd` is sent along with the message at `start`. [`Handles::appended`] must be called next, for this message.
    pub fn begin(&mut self, start: u64, fd: Rc<OwnedFd>) {
        self.in_flight.push_back(InFlight {
            start,
            end: None,
            until: start,
            fd,
            number: self.next,
            retries: 0,
        });
        self.next = self.next.wrapping_add(1);
    }

    /// A message has been appended, which ends at `end`.
    pub fn appended(&mut self, end: u64) {
        let count = self.in_flight.len();
        match self.in_flight.back_mut() {
            Some(handle) if handle.end.is_none() => {
                (handle.end, handle.until) = (Some(end), end);
                self.behind += usize::from(count > 1);
            }
            Some(_) => self.behind += 1,
            None => {}
        }
    }

    /// The position up to which the outbox may write now. `None`: everything.
    #[must_use]
    pub fn limit(&self) -> Option<u64> {
        match self.max_in_flight {
            _ if self.is_closing => None,
            0 => self.in_flight.front().filter(|handle| handle.end.is_some()).map(|handle| handle.until),
            max => Some(self.in_flight.get(max)?.start),
        }
    }

    /// The position from which on the outbox must keep written bytes, because they may have to be sent again.
    #[must_use]
    pub fn kept_from(&self) -> Option<u64> {
        Some(self.in_flight.front()?.start)
    }

    /// Whether the sender should go on sending. To a builtin end this is the builtin's rule: one message may wait
    /// behind a handle.
    #[must_use]
    pub fn has_room(&self) -> bool {
        if self.max_in_flight == 0 { self.behind <= 1 } else { self.in_flight.len() <= self.max_in_flight }
    }

    /// The other end has received the oldest `count` handles. `written` is the position up to which the outbox has
    /// written.
    ///
    /// # Errors
    /// Fewer have been sent.
    pub fn taken(&mut self, count: u32, written: u64) -> Result<(), NeverSent> {
        for _ in 0..count {
            self.pop_sent(written)?;
        }
        Ok(())
    }

    /// The other end did not receive the oldest handle.
    ///
    /// # Errors
    /// None has been sent.
    pub fn missed(&mut self, written: u64) -> Result<Missed, NeverSent> {
        let mut handle = self.pop_sent(written)?;
        let max_retries = if self.is_pipelined() { MAX_NATIVE_RETRIES } else { MAX_RETRIES };
        if handle.retries == max_retries {
            return Ok(Missed::GivenUp(handle.number));
        }
        handle.retries += 1;
        Ok(Missed::Repeat(handle))
    }

    /// The position at which to insert the message of a handle that is sent again. `None`: at the end of the outbox.
    #[must_use]
    pub fn place_for(&self, handle: &InFlight) -> Option<u64> {
        if self.max_in_flight == 0 { Some(handle.until) } else { self.limit() }
    }

    /// Writing has failed after the position `written`: drops the handles that were not sent completely.
    pub fn forget_unsent(&mut self, written: u64) {
        self.in_flight.retain(|handle| handle.end.is_some_and(|end| end <= written));
        self.behind = 0;
    }

    /// The message of a handle has been inserted again, at these positions.
    pub fn repeated(&mut self, mut handle: InFlight, Range { start, end }: Range<u64>) {
        (handle.start, handle.end, handle.until) = (start, Some(end), end);
        self.in_flight.insert(self.max_in_flight.min(self.in_flight.len()), handle);
    }

    /// `length` bytes have been inserted into the outbox at `position`.
    pub fn shift(&mut self, position: u64, length: u64) {
        for handle in &mut self.in_flight {
            if handle.start >= position {
                handle.start += length;
            }
            if handle.until >= position {
                handle.until += length;
            }
            if let Some(end) = &mut handle.end
                && *end > position
            {
                *end += length;
            }
        }
    }

    fn pop_sent(&mut self, written: u64) -> Result<InFlight, NeverSent> {
        let is_sent = self.in_flight.front().and_then(|handle| handle.end).is_some_and(|end| end <= written);
        let handle = if is_sent { self.in_flight.pop_front() } else { None }.ok_or(NeverSent)?;
        // The next handle may be written now, and the messages up to the handle after it.
        self.behind = self.in_flight.len().saturating_sub(1);
        Ok(handle)
    }
}
