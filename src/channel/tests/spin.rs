use std::time::{Duration, Instant};

use crate::channel::spin::Spin;

const LIMIT: Duration = Duration::from_micros(50);
const QUICK: Duration = Duration::from_micros(299);
const SLOW: Duration = Duration::from_micros(300);

/// A `Spin` that has just seen `count` quick answers, and the current time.
fn after_quick_answers(count: u32) -> (Spin, Instant) {
    let mut spin = Spin::new(LIMIT);
    let mut now = Instant::now();
    for _ in 0..count {
        spin.answer(now);
        now += QUICK;
        spin.arrived(now);
    }
    (spin, now)
}

/// With a single processor it never polls, and there is nothing to test.
fn is_alone() -> bool {
    !Spin::new(LIMIT).is_on()
}

/// How many quick answers it lets pass before it polls again.
fn pause(spin: &mut Spin, now: &mut Instant) -> u32 {
    (0..100_000)
        .find(|_| {
            let polls = spin.answer(*now).is_some();
            *now += QUICK;
            if !polls {
                spin.arrived(*now);
            }
            polls
        })
        .unwrap()
}

#[test]
fn without_a_time_it_never_polls() {
    let mut spin = Spin::new(Duration::ZERO);
    assert!(!spin.is_on());
    let now = Instant::now();
    for _ in 0..10 {
        assert_eq!(spin.answer(now).unwrap_or_default(), Duration::ZERO);
        spin.arrived(now);
    }
}

#[test]
fn it_polls_after_three_quick_answers_in_a_row() {
    if is_alone() {
        return;
    }
    for (count, expected) in [(0, None), (2, None), (3, Some(LIMIT)), (4, Some(LIMIT))] {
        let (mut spin, now) = after_quick_answers(count);
        assert_eq!(spin.answer(now), expected, "{count}");
    }
}

#[test]
fn a_slow_answer_ends_the_row() {
    let (mut spin, now) = after_quick_answers(5);
    spin.answer(now);
    spin.arrived(now + SLOW);
    assert_eq!(spin.answer(now + SLOW), None);
}

#[test]
fn a_message_that_answers_nothing_ends_the_row() {
    let (mut spin, now) = after_quick_answers(5);
    spin.arrived(now);
    assert_eq!(spin.answer(now), None);
}

#[test]
fn it_goes_on_polling_while_that_finds_messages() {
    if is_alone() {
        return;
    }
    let (mut spin, now) = after_quick_answers(3);
    for _ in 0..100 {
        assert_eq!(spin.answer(now), Some(LIMIT));
        spin.found();
    }
}

#[test]
fn after_polling_in_vain_it_pauses_twice_as_long_each_time_up_to_a_bound() {
    if is_alone() {
        return;
    }
    let (mut spin, mut now) = after_quick_answers(3);
    spin.answer(now);
    let pauses: Vec<_> = (0..15)
        .map(|_| {
            spin.missed();
            spin.arrived(now);
            pause(&mut spin, &mut now)
        })
        .collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 4096, 4096]);
}

#[test]
fn once_polling_has_found_a_message_the_pauses_begin_anew() {
    if is_alone() {
        return;
    }
    let (mut spin, mut now) = after_quick_answers(3);
    for _ in 0..6 {
        spin.missed();
    }
    assert_eq!(pause(&mut spin, &mut now), 32);
    spin.found();
    spin.missed();
    assert_eq!(pause(&mut spin, &mut now), 1);
}
