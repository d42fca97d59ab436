//! A JSON text is recognised as an internal message exactly if the parsed value is one.

#![no_main]

use child_process_rs::channel::internal::{command, is_internal, may_be_among};
use child_process_rs::channel::word::Word;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &[u8]| {
    let is_one = matches!(command(text), Ok(Some(_)));
    if let Ok(value) = serde_json::from_slice::<Value>(text) {
        let cmd = value.as_object().and_then(|members| members.get("cmd")).and_then(Value::as_str);
        assert_eq!(is_one, cmd.is_some_and(is_internal), "{}", String::from_utf8_lossy(text));
    }
    if is_one {
        assert!(may_be_among(text));
    }
    if let Some(word) = Word::read(text) {
        let mut written = vec![];
        word.push(&mut written);
        assert_eq!(Word::read(&written), Some(word));
    }
});
