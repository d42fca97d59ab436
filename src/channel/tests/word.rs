use crate::channel::word::{Content, MARK, Word};

#[test]
fn every_word_reads_back() {
    let secret = "0123456789abcdef".to_owned();
    let (size, content) = (Some(268_435_456), Content::Message);
    for word in [
        Word::Hello { secret },
        Word::Shared { slot: 0, content, bytes: 268_435_456, size },
        Word::Shared { slot: u32::MAX, content: Content::Buffer, bytes: 1, size: None },
        Word::Shared { slot: 1, content: Content::ArrayBuffer, bytes: 1, size: None },
        Word::Taken { slot: 63 },
        Word::NotTaken { slot: 1 },
        Word::Inline { slot: 1 },
        Word::Forget { slot: 1 },
        Word::HandlesTaken { count: 2 },
        Word::HandleMissed {},
        Word::HandleAgain { number: 3 },
        Word::HandleLost { number: 4 },
    ] {
        let mut bytes = vec![];
        word.push(&mut bytes);
        assert_eq!(bytes.first(), Some(&MARK));
        assert_eq!(Word::read(&bytes), Some(word));
    }
}

#[test]
fn what_is_not_marked_or_not_whole_is_no_word() {
    for bytes in [
        &b""[..],
        b"\x01",
        b"{\"cmd\":\"HandleMissed\"}",
        b"\x01{\"cmd\":\"Missed\"}",
        b"\x01{\"cmd\":\"Taken\"}",
        b"\x01{\"cmd\":\"Taken\",\"slot\":-1}",
        b"\x01{\"cmd\":\"Taken\",\"slot\":1}x",
        b"\x01[]",
        b"\x02{\"cmd\":\"HandleMissed\"}",
    ] {
        assert_eq!(Word::read(bytes), None, "{}", String::from_utf8_lossy(bytes));
    }
}
