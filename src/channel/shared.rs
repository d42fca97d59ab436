//! Large messages between two native ends: the sender copies the bytes into shared memory and sends only a word that
//! says where they are. The receiver copies them out and acknowledges that, and the memory is reused, because new
//! pages cost more than copying (`docs/decisions/shared-memory.md`).
//!
//! The shared memory for one message is called a slot. Its descriptor is sent along with the first message in it.

use std::os::fd::OwnedFd;

use super::word::{Content, Word};
use crate::background::{self, LARGE};
use crate::sys::{self, Mapping, Shared};

/// From this many bytes on, shared memory is cheaper than the socket.
pub const MIN_SIZE: usize = 256 * 1024;
/// The most bytes of all slots in one direction together. A message for which there is no room goes through the
/// socket, whose backpressure slows the sender down.
pub const MAX_TOTAL: usize = 256 << 20;
/// The most slots. There is a limit because a user may have only as many descriptors in flight as one process may
/// have open.
pub const MAX_SLOTS: usize = 64;
/// A slot that is unused for more than this many calls of [`Slots::age`] is freed.
const MAX_AGE: u32 = 20;

/// The location of a message in shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub slot: u32,
    pub content: Content,
    /// The number of bytes.
    pub length: usize,
    /// The size of the slot if it is new; its descriptor is then sent along.
    pub size: Option<usize>,
}

impl Place {
    /// The word that tells the other end where the message is.
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
    /// Unused since this value of [`Slots::age`].
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

/// The slots that an end uses for sending.
#[derive(Default)]
pub struct Slots {
    slots: Vec<Option<Slot>>,
    age: u32,
}

impl Slots {
    /// Copies `bytes` into a slot. Returns where they are, and the slot's descriptor if it is new. `None` if the
    /// bytes are too few or too many, or if there is no room.
    pub fn put(&mut self, bytes: &[u8], content: Content) -> Option<(Place, Option<OwnedFd>)> {
        let length = bytes.len();
        if !(MIN_SIZE..=MAX_TOTAL).contains(&length) {
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

    /// The index for a new slot of this size: that of the largest free slot, which it replaces (all free ones are too
    /// small), or a new one.
    fn place_for(&mut self, size: usize) -> Option<usize> {
        let size_of = |slot: &Option<Slot>| slot.as_ref().map_or(0, |slot| slot.memory.size());
        let all: usize = self.slots.iter().map(size_of).sum();
        let places = self.slots.iter().enumerate();
        let replaced = places
            .filter(|(_, slot)| slot.as_ref().is_none_or(Slot::is_free))
            .max_by_key(|(_, slot)| size_of(slot))
            .map(|(place, slot)| (place, size_of(slot)));
        let (place, replaced_size) = replaced.unwrap_or((self.slots.len(), 0));
        if place >= MAX_SLOTS || all - replaced_size + size > MAX_TOTAL {
            return None;
        }
        if place == self.slots.len() {
            self.slots.push(None);
        }
        Some(place)
    }

    /// The other end has copied the message out of this slot.
    pub fn taken(&mut self, slot: u32) {
        if let Some(Some(slot)) = self.slots.get_mut(slot as usize)
            && !slot.is_free()
        {
            slot.state = State::Free { since: self.age };
        }
    }

    /// The other end could not copy the message out of this slot and has forgotten the slot. Returns the message.
    pub fn not_taken(&mut self, slot: u32) -> Option<(Content, Vec<u8>)> {
        let slot = self.slots.get_mut(slot as usize)?.take_if(|slot| !slot.is_free())?;
        let State::UnderWay { content, length } = slot.state else { return None };
        let bytes = slot.memory.to_vec(length);
        give_back(Some(slot.memory));
        Some((content, bytes?))
    }

    /// How many bytes the other end has not copied yet.
    #[must_use]
    pub fn under_way(&self) -> usize {
        let lengths = self.slots.iter().flatten().map(|slot| match slot.state {
            State::UnderWay { length, .. } => length,
            State::Free { .. } => 0,
        });
        lengths.sum()
    }

    /// Called at regular intervals: frees the slots that have been unused for long. Returns their numbers, for the
    /// other end.
    pub fn age(&mut self) -> Vec<u32> {
        self.age = self.age.wrapping_add(1);
        let is_old = |slot: &mut Slot| match slot.state {
            State::Free { since } => self.age.wrapping_sub(since) > MAX_AGE,
            State::UnderWay { .. } => false,
        };
        let mut freed = vec![];
        for (number, place) in (0..).zip(&mut self.slots) {
            if let Some(slot) = place.take_if(is_old) {
                give_back(Some(slot.memory));
                freed.push(number);
            }
        }
        freed
    }

    /// Whether there are no slots.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    /// Frees all slots.
    pub fn clear(&mut self) {
        self.slots.drain(..).for_each(|slot| give_back(slot.map(|slot| slot.memory)));
    }
}

/// Rounds up a little, so that a slot also fits other messages of about the same length.
fn size_for(length: usize) -> usize {
    length.next_multiple_of(length.next_power_of_two() / 8)
}

/// Unmaps memory, on a background thread if it is large: that takes milliseconds.
fn give_back(memory: Option<Shared>) {
    if let Some(memory) = memory {
        let size = memory.size();
        background::give_back(memory, size);
    }
}

/// The other end's slots, mapped for reading.
#[derive(Default)]
pub struct Views {
    views: Vec<Option<Shared>>,
    /// A bit for each slot from which a message has been copied since [`Views::start`].
    taken: u64,
}

impl Views {
    /// A new batch of received messages begins. The other end sent them before it could learn that any of these slots
    /// is free again, so a batch holds at most one message for each slot. This bounds how much a batch can make this
    /// end copy.
    pub fn start(&mut self) {
        self.taken = 0;
    }

    /// Copies a message out of its slot. `fd` is the descriptor that came with the message. `None` if there is no
    /// such slot or no memory, if the slot is smaller than announced or not sealed, or if it was used twice in this
    /// batch.
    pub fn take(&mut self, place: Place, fd: Option<OwnedFd>) -> Option<Bytes> {
        let slot = place.slot as usize;
        let bit = 1 << (slot < MAX_SLOTS).then_some(slot)?;
        if self.taken & bit != 0 {
            return None;
        }
        self.taken |= bit;
        if let Some(size) = place.size {
            self.forget(place.slot);
            let all: usize = self.views.iter().flatten().map(Shared::size).sum();
            if all.checked_add(size)? > MAX_TOTAL {
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

    /// The other end has freed a slot.
    pub fn forget(&mut self, slot: u32) {
        give_back(self.views.get_mut(slot as usize).and_then(Option::take));
    }

    /// Unmaps all slots.
    pub fn clear(&mut self) {
        self.views.drain(..).for_each(give_back);
    }
}

/// The receiver's own copy of a message.
#[derive(Debug)]
pub enum Bytes {
    Small(Vec<u8>),
    Large(Mapping),
}

impl Bytes {
    /// A large copy gets a mapping of its own, for which the kernel may use huge pages.
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
