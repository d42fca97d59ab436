use crate::channel::shared::{Kind, MOST, UnderWay, push_note, read_note};

#[test]
fn a_note_reads_back() {
    for kind in [Kind::Buffer, Kind::ArrayBuffer, Kind::Message] {
        for length in [0, 1, 256 * 1024, usize::MAX] {
            let mut note = vec![];
            push_note(&mut note, kind, length);
            assert_eq!(read_note(&note), Some((kind, length)));
        }
    }
}

#[test]
fn what_is_not_exactly_a_note_is_none() {
    let mut note = vec![];
    push_note(&mut note, Kind::Buffer, 5);
    for end in 0..note.len() {
        assert_eq!(read_note(&note[..end]), None);
    }
    assert_eq!(read_note(&[&note[..], &[0]].concat()), None);
    note[1] = 3;
    assert_eq!(read_note(&note), None);
    assert_eq!(read_note(&[0xFF, 15, 0, 0, 0, 0, 0, 0, 0, 0]), None);
}

#[test]
fn only_so_much_is_under_way() {
    let none = UnderWay::default();
    assert!(none.has_room());
    assert!(!none.with(MOST).has_room());
    assert_eq!(none.with(MOST).without(MOST), none);
    let many = (0..64).fold(none, |under_way, _| under_way.with(1));
    assert!(!many.has_room());
    assert!(many.without(1).has_room());
}

#[test]
fn what_was_never_under_way_is_not_taken_from_it() {
    assert_eq!(UnderWay::default().without(5), UnderWay::default());
}
