//! No input makes the parsers of messages panic, and what is written can be read back.

#![no_main]

use child_process_rs::channel::json;
use child_process_rs::channel::v8;
use libfuzzer_sys::fuzz_target;

fn check_strings(units: &[u16]) {
    let mut text = vec![];
    json::push_utf16(&mut text, units);
    assert!(json::is_closed(&text));
    if let Ok(string) = String::from_utf16(units) {
        assert_eq!(text, serde_json::to_vec(&string).unwrap_or_default());
        let mut quoted = string.into_bytes();
        json::quote(&mut quoted, 0);
        assert_eq!(quoted, text);
    }
}

fuzz_target!(|data: &[u8]| {
    if let Some(content) = v8::buffer(data) {
        let mut out = vec![];
        v8::push_header(&mut out);
        v8::push_buffer(&mut out, content);
        assert_eq!(v8::buffer(&out), Some(content));
    }
    let units: Vec<_> = data.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    check_strings(&units);
});
