//! Nothing that comes makes the readers of serialised values panic; what is written reads back.

#![no_main]

use child_process_rs::channel::json;
use child_process_rs::channel::v8::{self, is_plain};
use libfuzzer_sys::fuzz_target;

/// Texts that are taken for JSON become values that can stand among others.
fn check_json(text: &[u8]) {
    for before in 0..2 {
        let mut out = vec![b'0'; before];
        if v8::push_json(&mut out, text).is_some() {
            assert!(is_plain(&out[before..]), "{}", String::from_utf8_lossy(text));
        }
    }
}

/// What stands among others alone can stand there together.
fn check_join(value: &[u8]) {
    if !is_plain(value) {
        return;
    }
    let whole = [&[v8::HEADER, v8::VERSION], value].concat();
    let mut joined = vec![];
    v8::join(&mut joined, [whole.as_slice(); 3].into_iter());
    // One level deeper than the value, which may be the deepest that is followed.
    let mut nested = vec![];
    v8::join(&mut nested, [joined.as_slice()].into_iter());
    if is_plain(&nested[2..]) {
        assert!(is_plain(&joined[2..]));
    }
    // Cut short, it is none.
    assert!(!is_plain(&value[..value.len() - 1]));
}

fn check_strings(units: &[u16]) {
    let mut text = vec![];
    json::push_utf16(&mut text, units);
    assert!(json::is_closed(&text));
    let (mut expected, mut out) = (vec![], vec![]);
    v8::push_string(&mut expected, units);
    assert_eq!(v8::push_json(&mut out, &text), Some(()));
    assert_eq!(out, expected);
    if let Ok(string) = String::from_utf16(units) {
        assert_eq!(text, serde_json::to_vec(&string).unwrap_or_default());
        let mut quoted = string.into_bytes();
        json::quote(&mut quoted, 0);
        assert_eq!(quoted, text);
    }
}

fuzz_target!(|data: &[u8]| {
    check_json(data);
    check_join(data);
    if let Some(content) = v8::buffer(data) {
        let mut out = vec![];
        v8::push_header(&mut out);
        v8::push_view(&mut out, v8::BUFFER, content);
        assert_eq!(v8::buffer(&out), Some(content));
    }
    let units: Vec<_> = data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    check_strings(&units);
});
