//! Large messages between two native ends: the sender puts the bytes into memory that the other end can read, and sends only a
//! note of where they are. The receiver copies them out and says so, and the memory is used again: new pages cost more
//! than copying (`docs/decisions/shared-memory.md`).
//!
//! The memory of one message is a slot. Its descriptor comes with the first message in it.

use std::os::fd::OwnedFd;

use super::word::{Content, Word};
use crate::background::{self, LARGE};
use crate::sys::{self, Mapping, Shared};

/// From so many bytes on sharing is cheaper than writing them through the socket.
pub const LEAST: usize = 256 * 1024;
/// So large all slots of a direction are at most, bytes. What finds no room goes through the socket, where the sender feels that
/// it is ahead.
pub const MOST: usize = 256 << 20;
/// And so many they are: the kernel lets a user have no more descriptors under way than a process may have open.
pub const MOST_SLOTS: usize = 64;
/// After so many times of [`Slots::age`] a slot that nobody has used is given up.
const OLD: u32 = 20;

/// Where the bytes of a message are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub slot: u32,
    pub content: Content,
    /// How many bytes they are.
    pub length: usize,
    /// The size of the slot, where it is a new one, whose descriptor comes along.
    pub size: Option<usize>,
}

impl Place {
    /// What tells the other end of it.
    #[must_use]
    pub fn word(self) -> Word {
        let Self { slot, content, length, size } = self;
        Word::Shared { slot, content, bytes: length as u64, size: size.map(|size| size as u64) }
    }
}

enum State {
    UnderWay {
        content: Content,
        length: usize,
    },
    /// Since this age.
    Free {
        since: u32,
    },
}

struct Slot {
    memory: Shared,
    state: State,
}

impl Slot {
    fn is_free(&self) -> bool {
        matches!(self.state, State::Free { .. })
    }
}

/// The slots that an end sends with.
#[derive(Default)]
pub struct Slots {
    slots: Vec<Option<Slot>>,
    age: u32,
}

impl Slots {
    /// Copies `bytes` into a slot; with its descriptor where it is a new one. `None`: there is no room, or the bytes are too few.
    pub fn put(&mut self, bytes: &[u8], content: Content) -> Option<(Place, Option<OwnedFd>)> {
        let length = bytes.len();
        if !(LEAST..=MOST).contains(&length) {
            return None;
        }
        if let Some((slot, used)) = self.free_from(length) {
            used.memory.write(bytes)?;
            used.state = State::UnderWay { content, length };
            return Some((Place { slot, content, length, size: None }, None));
        }
        let size = size_for(length);
        let slot = self.place_for(size)?;
        let (memory, fd) = sys::shared_memory(bytes, size).ok()?;
        let new = Slot { memory, state: State::UnderWay { content, length } };
        let old = self.slots.get_mut(slot)?.replace(new);
        give_back(old.map(|slot| slot.memory));
        Some((Place { slot: slot as u32, content, length, size: Some(size) }, Some(fd)))
    }

    /// The smallest free slot of at least this size.
    fn free_from(&mut self, size: usize) -> Option<(u32, &mut Slot)> {
        let numbered = (0..).zip(&mut self.slots).filter_map(|(number, slot)| Some((number, slot.as_mut()?)));
        numbered
            .filter(|(_, slot)| slot.is_free() && slot.memory.size() >= size)
            .min_by_key(|(_, slot)| slot.memory.size())
    }

    /// Where a new slot of this size may be: in the place of a free one, all of which are too small, or in one of its own.
    fn place_for(&mut self, size: usize) -> Option<usize> {
        let size_of = |slot: &Option<Slot>| slot.as_ref().map_or(0, |slot| slot.memory.size());
        let all: usize = self.slots.iter().map(size_of).sum();
        let places = self.slots.iter().enumerate();
        let replaced = places
            .filter(|(_, slot)| slot.as_ref().is_none_or(Slot::is_free))
            .max_by_key(|(_, slot)| size_of(slot))
            .map(|(place, slot)| (place, size_of(slot)));
        let (place, given_up) = replaced.unwrap_or((self.slots.len(), 0));
        if place >= MOST_SLOTS || all - given_up + size > MOST {
            return None;
        }
        if place == self.slots.len() {
            self.slots.push(None);
        }
        Some(place)
    }

    /// The other end has copied what was in this slot.
    pub fn taken(&mut self, slot: u32) {
        if let Some(Some(slot)) = self.slots.get_mut(slot as usize)
            && !slot.is_free()
        {
            slot.state = State::Free { since: self.age };
        }
    }

    /// The other end could not copy what was in this slot, and knows the slot no longer. Gives the message back.
    pub fn not_taken(&mut self, slot: u32) -> Option<(Content, Vec<u8>)> {
        let slot = self.slots.get_mut(slot as usize)?.take_if(|slot| !slot.is_free())?;
        let State::UnderWay { content, length } = slot.state else { return None };
        let bytes = slot.memory.to_vec(length);
        give_back(Some(slot.memory));
        Some((content, bytes?))
    }

    /// How many bytes the other end has not taken yet.
    #[must_use]
    pub fn under_way(&self) -> usize {
        let lengths = self.slots.iter().flatten().map(|slot| match slot.state {
            State::UnderWay { length, .. } => length,
            State::Free { .. } => 0,
        });
        lengths.sum()
    }

    /// Some time has gone by: gives up the slots that nobody has used for long. Returns their numbers, for the other end.
    pub fn age(&mut self) -> Vec<u32> {
        self.age = self.age.wrapping_add(1);
        let is_old = |slot: &mut Slot| match slot.state {
            State::Free { since } => self.age.wrapping_sub(since) > OLD,
            State::UnderWay { .. } => false,
        };
        let mut given_up = vec![];
        for (number, place) in (0..).zip(&mut self.slots) {
            if let Some(slot) = place.take_if(is_old) {
                give_back(Some(slot.memory));
                given_up.push(number);
            }
        }
        given_up
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    /// Gives all up.
    pub fn clear(&mut self) {
        self.slots.drain(..).for_each(|slot| give_back(slot.map(|slot| slot.memory)));
    }
}

/// A little more than is asked for, that messages of about the same length find room, too.
fn size_for(length: usize) -> usize {
    length.next_multiple_of(length.next_power_of_two() / 8)
}

/// Away from the loop: where it is much, it takes milliseconds.
fn give_back(memory: Option<Shared>) {
    if let Some(memory) = memory {
        let size = memory.size();
        background::give_back(memory, size);
    }
}

/// The other end's slots, as this one sees them.
#[derive(Default)]
pub struct Views {
    views: Vec<Option<Shared>>,
    /// Those that a message has been taken out of since `start`, a bit each.
    taken: u64,
}

impl Views {
    /// What comes now was sent before the other end can have heard of what is taken: one message a slot at most. So no more is
    /// copied at once than may be under way.
    pub fn start(&mut self) {
        self.taken = 0;
    }

    /// Copies a message out of its slot, with the descriptor that has come with it. `None`: there is no such slot or no memory for
    /// it, it is smaller than it is said to be, not sealed, or cannot be free again.
    pub fn take(&mut self, place: Place, fd: Option<OwnedFd>) -> Option<Bytes> {
        let slot = place.slot as usize;
        let bit = 1 << (slot < MOST_SLOTS).then_some(slot)?;
        if self.taken & bit != 0 {
            return None;
        }
        self.taken |= bit;
        if let Some(size) = place.size {
            self.forget(place.slot);
            let all: usize = self.views.iter().flatten().map(Shared::size).sum();
            if all.checked_add(size)? > MOST {
                return None;
            }
            let view = sys::map_shared(fd?, size).ok()?;
            if self.views.len() <= slot {
                self.views.resize_with(slot + 1, || None);
            }
            *self.views.get_mut(slot)? = Some(view);
        }
        Bytes::copied(self.views.get(slot)?.as_ref()?, place.length)
    }

    /// The other end has given a slot up.
    pub fn forget(&mut self, slot: u32) {
        give_back(self.views.get_mut(slot as usize).and_then(Option::take));
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.views.drain(..).for_each(give_back);
    }
}

/// What a message's bytes have been copied to: the receiver's own.
#[derive(Debug)]
pub enum Bytes {
    Small(Vec<u8>),
    Large(Mapping),
}

impl Bytes {
    /// Many bytes get pages of their own, which may be huge ones.
    fn copied(view: &Shared, length: usize) -> Option<Self> {
        if length < LARGE {
            view.to_vec(length).map(Self::Small)
        } else {
            view.to_mapping(length).map(Self::Large)
        }
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Small(bytes) => bytes,
            Self::Large(mapping) => mapping.bytes(),
        }
    }
}
