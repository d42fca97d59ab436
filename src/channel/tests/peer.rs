use crate::channel::peer::{Peer, WrongSecret};

fn announced() -> Peer {
    Peer::Announced { secret: "abc".to_owned() }
}

#[test]
fn an_end_that_was_announced_becomes_native_with_its_secret() {
    let mut peer = announced();
    assert!(peer.may_be_native() && !peer.is_native());
    assert_eq!(peer.introduced("abc"), Ok(()));
    assert!(peer.may_be_native() && peer.is_native());
}

#[test]
fn another_secret_is_refused_and_so_is_the_right_one_after_it() {
    let mut peer = announced();
    assert_eq!(peer.introduced("abd"), Err(WrongSecret));
    assert_eq!(peer.introduced("abc"), Err(WrongSecret));
    assert!(!peer.may_be_native());
}

#[test]
fn nobody_introduces_itself_unannounced_or_twice() {
    assert_eq!(Peer::Builtin.introduced(""), Err(WrongSecret));
    assert_eq!(Peer::Native.introduced("abc"), Err(WrongSecret));
}
