use crate::channel::v8::{buffer, push_array_buffer, push_buffer, push_header, push_object};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn made(push: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = vec![];
    push_header(&mut out);
    push(&mut out);
    out
}

#[test]
fn values_are_written_as_v8_writes_them() {
    // `v8.serialize` of Node 20.
    assert_eq!(hex(&made(|out| push_object(out, "cmd", "x"))), "ff0f6f2203636d642201787b01");
    assert_eq!(hex(&made(|out| push_array_buffer(out, &[1, 2, 3]))), "ff0f4203010203");
    // And of a Buffer, as Node's own channel serialises it.
    assert_eq!(hex(&made(|out| push_buffer(out, b"ab"))), "ff0f5c000a026162");
    assert_eq!(hex(&made(|out| push_buffer(out, &[0; 200])))[..14], *"ff0f5c000ac801");
}

#[test]
fn a_buffer_is_known_by_its_bytes() {
    for length in [0, 1, 127, 128, 300, 20_000] {
        let content = vec![7; length];
        let mut value = made(|out| push_buffer(out, &content));
        assert_eq!(buffer(&value), Some(&content[..]), "{length}");
        value.push(0);
        assert_eq!(buffer(&value), None, "{length}");
        value.truncate(4);
        assert_eq!(buffer(&value), None);
    }
    assert_eq!(buffer(&made(|out| push_array_buffer(out, b"ab"))), None);
    // A length that never ends.
    assert_eq!(buffer(b"\xff\x0f\\\x00\x0a\xff\xff\xff\xff\xff\xff"), None);
}
