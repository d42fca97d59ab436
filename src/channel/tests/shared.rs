use std::os::fd::OwnedFd;

use crate::channel::shared::{Bytes, MAX_TOTAL, MIN_SIZE, Place, Slots, Views};
use crate::channel::word::Content;

mod slots {
    use super::{Bytes, Content, MAX_TOTAL, MIN_SIZE, OwnedFd, Place, Slots, Views};

    fn bytes(length: usize, of: u8) -> Vec<u8> {
        vec![of; length]
    }

    fn put(slots: &mut Slots, bytes: &[u8]) -> (Place, Option<OwnedFd>) {
        slots.put(bytes, Content::Message).unwrap()
    }

    #[test]
    fn what_is_put_in_is_taken_out() {
        let (mut slots, mut views) = (Slots::default(), Views::default());
        for length in [MIN_SIZE, MIN_SIZE + 1, 4 << 20, (5 << 20) + 3] {
            let content: Vec<_> = (0..length).map(|i| (i % 251) as u8).collect();
            let (place, fd) = put(&mut slots, &content);
            assert_eq!(place.length, length);
            let taken = views.take(place, fd).unwrap();
            assert!(taken.bytes() == content, "{length}");
            assert_eq!(matches!(taken, Bytes::Large(_)), length >= 4 << 20);
        }
    }

    #[test]
    fn a_slot_is_used_again_without_its_descriptor() {
        let (mut slots, mut views) = (Slots::default(), Views::default());
        let (first, fd) = put(&mut slots, &bytes(MIN_SIZE, 1));
        assert!(first.size.is_some() && fd.is_some());
        views.take(first, fd).unwrap();
        slots.taken(first.slot);
        let (second, fd) = put(&mut slots, &bytes(MIN_SIZE, 2));
        assert_eq!((second.slot, second.size), (first.slot, None));
        assert!(fd.is_none());
        // The same slot twice in one batch violates the protocol.
        assert!(views.take(second, None).is_none());
        views.start();
        assert_eq!(views.take(second, None).unwrap().bytes(), bytes(MIN_SIZE, 2));
    }

    #[test]
    fn a_slot_that_was_not_taken_is_not_reused() {
        let (mut slots, mut views) = (Slots::default(), Views::default());
        let (first, first_fd) = put(&mut slots, &bytes(MIN_SIZE, 1));
        let (second, second_fd) = put(&mut slots, &bytes(MIN_SIZE, 2));
        assert_ne!(first.slot, second.slot);
        assert_eq!(slots.under_way(), MIN_SIZE * 2);
        assert_eq!(views.take(first, first_fd).unwrap().bytes(), bytes(MIN_SIZE, 1));
        assert_eq!(views.take(second, second_fd).unwrap().bytes(), bytes(MIN_SIZE, 2));
        slots.taken(second.slot);
        assert_eq!(slots.under_way(), MIN_SIZE);
        // What was never sent was never taken.
        slots.taken(second.slot);
        slots.taken(99);
        assert_eq!(slots.under_way(), MIN_SIZE);
    }

    #[test]
    fn one_that_is_too_small_is_replaced() {
        let (mut slots, mut views) = (Slots::default(), Views::default());
        let (small, fd) = put(&mut slots, &bytes(MIN_SIZE, 1));
        views.take(small, fd).unwrap();
        slots.taken(small.slot);
        views.start();
        let (large, fd) = put(&mut slots, &bytes(MIN_SIZE * 8, 2));
        assert_eq!(large.slot, small.slot);
        assert!(large.size.is_some());
        assert_eq!(views.take(large, fd).unwrap().bytes(), bytes(MIN_SIZE * 8, 2));
    }

    #[test]
    fn the_smallest_that_is_large_enough_is_used() {
        let mut slots = Slots::default();
        let places = [4, 1, 2].map(|times| put(&mut slots, &bytes(MIN_SIZE * times, 0)).0);
        for place in places {
            slots.taken(place.slot);
        }
        assert_eq!(put(&mut slots, &bytes(MIN_SIZE * 2, 0)).0.slot, places[2].slot);
        assert_eq!(put(&mut slots, &bytes(MIN_SIZE * 2, 0)).0.slot, places[0].slot);
    }

    #[test]
    fn slots_are_limited_in_number_and_size() {
        let mut slots = Slots::default();
        assert!(slots.put(&bytes(MIN_SIZE - 1, 0), Content::Message).is_none());
        for _ in 0..64 {
            put(&mut slots, &bytes(MIN_SIZE, 0));
        }
        assert!(slots.put(&bytes(MIN_SIZE, 0), Content::Message).is_none());
        let mut slots = Slots::default();
        put(&mut slots, &bytes(MAX_TOTAL / 4 * 3, 0));
        assert!(slots.put(&bytes(MAX_TOTAL / 2, 0), Content::Message).is_none());
        assert!(slots.put(&bytes(MAX_TOTAL / 4, 0), Content::Message).is_some());
    }

    #[test]
    fn unused_slots_are_freed_after_a_while() {
        let (mut slots, mut views) = (Slots::default(), Views::default());
        let (used, used_fd) = put(&mut slots, &bytes(MIN_SIZE, 0));
        let (place, fd) = put(&mut slots, &bytes(MIN_SIZE, 0));
        for (place, fd) in [(used, used_fd), (place, fd)] {
            views.take(place, fd).unwrap();
        }
        slots.taken(place.slot);
        let given_up: Vec<_> = (0..100).flat_map(|_| slots.age()).collect();
        assert_eq!(given_up, [place.slot]);
        assert!(!slots.is_empty());
        for slot in given_up {
            views.forget(slot);
        }
        views.start();
        assert!(views.take(Place { size: None, ..used }, None).is_some());
        assert!(views.take(Place { size: None, ..place }, None).is_none());
        slots.taken(used.slot);
        assert_eq!((0..100).flat_map(|_| slots.age()).count(), 1);
        assert!(slots.is_empty());
    }

    #[test]
    fn a_message_that_was_not_taken_is_returned_once_and_its_slot_is_replaced() {
        let mut slots = Slots::default();
        let (place, _) = slots.put(&bytes(MIN_SIZE, 7), Content::ArrayBuffer).unwrap();
        assert_eq!(slots.not_taken(place.slot), Some((Content::ArrayBuffer, bytes(MIN_SIZE, 7))));
        assert!(slots.not_taken(place.slot).is_none() && slots.not_taken(99).is_none());
        assert!(slots.is_empty());
        let (place, fd) = put(&mut slots, &bytes(MIN_SIZE, 0));
        assert!(fd.is_some());
        slots.taken(place.slot);
        assert!(slots.not_taken(place.slot).is_none());
    }

    #[test]
    fn an_invalid_place_gives_nothing() {
        let (mut slots, mut views) = (Slots::default(), Views::default());
        let unknown = Place { slot: 0, content: Content::Message, length: 1, size: None };
        assert!(views.take(unknown, None).is_none());
        let mut shared = || {
            let (place, fd) = put(&mut slots, &bytes(MIN_SIZE, 0));
            (place, fd.unwrap(), place.size.unwrap())
        };
        // Without its descriptor, with a size or length that is too large, with a slot number that is too high.
        let (place, fd, size) = shared();
        assert!(views.take(place, None).is_none());
        assert!(views.take(Place { size: Some(size + 1), ..place }, Some(fd)).is_none());
        let (place, fd, size) = shared();
        assert!(views.take(Place { length: size + 1, ..place }, Some(fd)).is_none());
        let (place, fd, _) = shared();
        assert!(views.take(Place { slot: 64, ..place }, Some(fd)).is_none());
        let (place, fd, _) = shared();
        assert!(views.take(Place { size: Some(MAX_TOTAL + 1), ..place }, Some(fd)).is_none());
        // Memory that could shrink, and a file that is no memory.
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        assert!(views.take(Place { size: Some(1), ..place }, Some(file.into())).is_none());
    }

    #[test]
    fn the_receiver_cannot_write() {
        let mut slots = Slots::default();
        let (place, fd) = put(&mut slots, &bytes(MIN_SIZE, 0));
        let fd = fd.unwrap();
        let file = std::fs::File::from(fd.try_clone().unwrap());
        assert!(std::io::Write::write_all(&mut &file, b"x").is_err());
        assert!(file.set_len(1).is_err());
        assert!(Views::default().take(place, Some(fd)).is_some());
    }
}
