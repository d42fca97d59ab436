use crate::channel::missing::{Gaps, Missing, TooMany};

#[test]
fn something_missing_is_new_only_once_until_it_has_come() {
    let mut gaps = Gaps::default();
    assert_eq!(gaps.note(Missing::Handle(3)), Ok(true));
    assert_eq!(gaps.note(Missing::Handle(3)), Ok(false));
    assert_eq!(gaps.note(Missing::Slot(3)), Ok(true));
    assert!(gaps.fill(Missing::Handle(3)));
    assert!(!gaps.fill(Missing::Handle(3)));
    assert_eq!(gaps.note(Missing::Handle(3)), Ok(true));
}

#[test]
fn only_the_next_message_expect_resent() {
    let mut gaps = Gaps::default();
    gaps.expect_resent(Missing::Slot(0));
    assert!(gaps.expects_resent());
    assert_eq!(gaps.take_resent(), Some(Missing::Slot(0)));
    assert_eq!(gaps.take_resent(), None);
}

#[test]
fn no_more_can_be_missing_than_can_be_in_flight() {
    let mut gaps = Gaps::default();
    let accepted = (0..1000).take_while(|number| gaps.note(Missing::Handle(*number)).is_ok()).count();
    assert_eq!(accepted, 128 + 64);
    assert_eq!(gaps.note(Missing::Slot(0)), Err(TooMany));
}

#[test]
fn handles_and_slots_never_share_a_key() {
    assert_ne!(Missing::Handle(0).key(), Missing::Slot(0).key());
    assert!(Missing::Slot(u32::MAX).key() < Missing::Slot(0).key());
}
