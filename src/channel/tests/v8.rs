use crate::channel::v8::{
    BUFFER, buffer, is_plain, join, push_array_buffer, push_header, push_json, push_number, push_string,
    push_varint, push_view,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The JSON text's value as it is serialised after the header.
fn serialized(text: &str) -> Option<Vec<u8>> {
    let mut out = vec![];
    push_header(&mut out);
    push_json(&mut out, text.as_bytes())?;
    Some(out.split_off(2))
}

/// `v8.serialize` of Node 20, without the header.
const VALUES: [(&str, &str); 30] = [
    ("{}", "6f7b00"),
    ("[]", "4100240000"),
    ("null", "30"),
    ("true", "54"),
    ("false", "46"),
    ("0", "4900"),
    ("-1", "4901"),
    ("63", "497e"),
    ("64", "498001"),
    ("-64", "497f"),
    ("-65", "498101"),
    ("2147483647", "49feffffff0f"),
    ("2147483648", "4e000000000000e041"),
    ("-2147483648", "49ffffffff0f"),
    ("-2147483649", "4e000020000000e0c1"),
    ("1.5", "4e000000000000f83f"),
    ("1e+300", "4e9c7500883ce4377e"),
    ("9007199254740991", "4effffffffffff3f43"),
    (r#""a""#, "220161"),
    (r#""é""#, "2201e9"),
    (r#""ÿ""#, "2201ff"),
    (r#""Ā""#, "63020001"),
    (r#""😀""#, "63043dd800de"),
    (r#""\ud800""#, "630200d8"),
    (r#""\n\"\\\u0001""#, "22040a225c01"),
    (r#"{"a":1}"#, "6f22016149027b01"),
    (r#"{"a":"x","b":[true,null,false,"y"]}"#, "6f22016122017822016241045430462201792400047b02"),
    (r#"[[],{},[1]]"#, "410341002400006f7b0041014902240001240003"),
    (r#"{"":{"k":[]}}"#, "6f22006f22016b41002400007b017b01"),
    (r#"{"ключ":"é"}"#, "6f0063083a043b044e0447042201e97b01"),
];

#[test]
fn json_texts_become_what_v8_serialises() {
    for (text, expected) in VALUES {
        let bytes = serialized(text).unwrap();
        assert_eq!(hex(&bytes), expected, "{text}");
        assert!(is_plain(&bytes), "{text}");
    }
}

#[test]
fn what_is_no_json_text_gives_nothing() {
    for text in [
        "",
        "{",
        "[",
        "\"",
        "{}}",
        "[]]",
        "1 ",
        " 1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "tru",
        "nul",
        "truex",
        "x",
        "\"\\\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "[1}",
        "{\"a\":1]",
        "undefined",
        "-",
        "1e",
    ] {
        assert_eq!(serialized(text), None, "{text}");
    }
    let mut out = vec![];
    assert_eq!(push_json(&mut out, b"\"\xFF\""), None);
    assert_eq!(push_json(&mut out, b"\"\\n\xFF\""), None);
}

#[test]
fn json_is_followed_64_levels_deep() {
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    assert!(is_plain(&serialized(&deep(64)).unwrap()));
    assert_eq!(serialized(&deep(65)), None);
    assert_eq!(serialized(&deep(100_000)), None);
    assert_eq!(serialized(&"{\"a\":".repeat(100_000)), None);
}

#[test]
fn strings_of_two_bytes_a_character_begin_at_even_places() {
    for before in 0..4 {
        for length in [1, 2, 63, 64, 8191, 8192] {
            let units = vec![0x100; length];
            let mut out = vec![b'0'; before];
            push_string(&mut out, &units);
            assert_eq!((out.len() - length * 2) % 2, 0, "{before} {length}");
            assert!(is_plain(&out[before..]));
            assert!(out[before] == if out.len() % 2 == 0 && out[before] == 0 { 0 } else { b'c' });
        }
    }
}

#[test]
fn one_wide_character_makes_the_whole_string_wide() {
    let mut out = vec![];
    push_string(&mut out, &[0xFF; 3]);
    assert_eq!(out, b"\"\x03\xFF\xFF\xFF");
    out.clear();
    push_string(&mut out, &[0x61, 0x100]);
    assert_eq!(out, b"c\x04a\0\0\x01");
}

#[test]
fn numbers_of_32_bits_are_integers_and_all_others_doubles() {
    for (number, is_integer) in [
        (0.0, true),
        (f64::from(i32::MAX), true),
        (f64::from(i32::MIN), true),
        (f64::from(i32::MAX) + 1.0, false),
        (f64::from(i32::MIN) - 1.0, false),
        (-0.0, false),
        (0.5, false),
        (f64::NAN, false),
        (f64::INFINITY, false),
        (f64::NEG_INFINITY, false),
    ] {
        let mut out = vec![];
        push_number(&mut out, number);
        if is_integer {
            assert_eq!(out[0], b'I', "{number}");
        } else {
            assert_eq!(out[0], b'N', "{number}");
            assert_eq!(out[1..], number.to_le_bytes());
        }
        assert!(is_plain(&out));
    }
}

#[test]
fn varints_take_seven_bits_a_byte() {
    for (value, expected) in [
        (0, "00"),
        (127, "7f"),
        (128, "8001"),
        (16_383, "ff7f"),
        (16_384, "808001"),
        (u64::from(u32::MAX), "ffffffff0f"),
    ] {
        let mut out = vec![];
        push_varint(&mut out, value);
        assert_eq!(hex(&out), expected);
    }
}

#[test]
fn values_join_to_one_array() {
    let values: Vec<Vec<u8>> = ["1", "{\"a\":[]}", "\"Ā\""]
        .iter()
        .map(|text| [vec![0xFF, 15], serialized(text).unwrap()].concat())
        .collect();
    let mut out = vec![];
    join(&mut out, values.iter().map(Vec::as_slice));
    assert_eq!(hex(&out), "ff0f4103".to_owned() + "4902" + "6f22016141002400007b01" + "63020001" + "240003");
    assert!(is_plain(&out[2..]));
}

#[test]
fn a_buffer_is_written_as_node_does_and_read_back() {
    for length in [0, 1, 127, 128, 70_000] {
        let bytes = vec![7; length];
        let mut out = vec![];
        push_header(&mut out);
        push_view(&mut out, BUFFER, &bytes);
        assert_eq!(buffer(&out), Some(&bytes[..]));
        assert!(is_plain(&out[2..]));
        assert_eq!(buffer(&out[..out.len() - 1]), None);
        out.push(0);
        assert_eq!(buffer(&out), None);
    }
    let mut out = vec![];
    push_view(&mut out, BUFFER, b"abc");
    assert_eq!(hex(&out), "5c000a03616263");
}

#[test]
fn nothing_but_a_buffer_is_a_buffer() {
    for bytes in [
        &b""[..],
        b"\xFF\x0F",
        b"\xFF\x0F\\\x00\x04\x01a",
        b"\xFF\x0E\\\x00\x0A\x01a",
        b"\xFF\x0F\\\x01\x0A\x01a",
    ] {
        assert_eq!(buffer(bytes), None);
    }
    assert_eq!(buffer(b"\xFF\x0F\\\x00\x0A\xFF\xFF\xFF\xFF\xFF\xFF"), None);
}

#[test]
fn an_array_buffer_is_written_as_v8_does() {
    let mut out = vec![];
    push_array_buffer(&mut out, &[0; 3]);
    assert_eq!(hex(&out), "4203000000");
}
