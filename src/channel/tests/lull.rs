use std::time::{Duration, Instant};

use crate::channel::lull::Lull;

const READS: u32 = 100;

/// Whether it rests after `READS` reads of so many messages of so many bytes each, `between` one another.
fn rests(messages: usize, bytes: usize, between: Duration) -> bool {
    let (mut lull, begun) = (Lull::default(), Instant::now());
    (0..READS).map(|i| lull.read(begun + between * i, messages, messages * bytes)).last().unwrap()
}

const NEAR: Duration = Duration::from_micros(50);

#[test]
fn it_rests_in_a_stream_of_small_messages() {
    assert!(rests(10, 34, NEAR));
    assert!(rests(100, 1000, NEAR * 6));
    let mut lull = Lull::default();
    assert!(!lull.read(Instant::now(), 1000, 1000));
}

#[test]
fn not_where_messages_are_few_or_large() {
    assert!(!rests(1, 34, NEAR));
    assert!(!rests(100, 34, NEAR * 100));
    assert!(!rests(10, 1025, NEAR));
    assert!(!rests(10, 64 * 1024, NEAR));
}

#[test]
fn a_rest_in_which_nothing_comes_is_the_last() {
    let (mut lull, begun) = (Lull::default(), Instant::now());
    let mut now = begun;
    let mut read = |messages| {
        now += NEAR;
        lull.read(now, messages, messages * 34)
    };
    while !read(10) {}
    assert!(!read(0));
    assert!(!read(10));
}

#[test]
fn a_stream_that_becomes_slow_is_none_any_more() {
    let (mut lull, begun) = (Lull::default(), Instant::now());
    let mut now = begun;
    let mut read = |messages, after| {
        now += after;
        lull.read(now, messages, messages * 34)
    };
    while !read(10, NEAR) {}
    let slow: Vec<_> = (0..20).map(|_| read(1, NEAR * 10)).collect();
    assert!(!slow[19]);
}
