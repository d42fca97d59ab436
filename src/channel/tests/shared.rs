use crate::channel::shared::{Kind, push_note, read_note};

#[test]
fn a_note_reads_back() {
    for kind in [Kind::Buffer, Kind::ArrayBuffer] {
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
    note[1] = 2;
    assert_eq!(read_note(&note), None);
    assert_eq!(read_note(&[0xFF, 15, 0, 0, 0, 0, 0, 0, 0, 0]), None);
}
