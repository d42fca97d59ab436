use crate::channel::json::{is_closed, join, may_have_lost, push_number, push_utf16, quote};

/// `JSON.stringify` of Node.
const STRINGS: [(&str, &str); 10] = [
    ("", r#""""#),
    ("a", r#""a""#),
    ("a\"b", r#""a\"b""#),
    ("\\", r#""\\""#),
    ("/", r#""/""#),
    ("\u{7F}\u{80}", "\"\u{7F}\u{80}\""),
    ("\u{2028}\u{2029}\u{FEFF}", "\"\u{2028}\u{2029}\u{FEFF}\""),
    ("é😀\u{FFFD}", "\"é😀\u{FFFD}\""),
    ("<\u{0}>", r#""<\u0000>""#),
    ("\"\n\"", r#""\"\n\"""#),
];

const CONTROLS: &str = concat!(
    r#""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f"#,
    r#"\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f ""#,
);

fn quoted(text: &str) -> String {
    let mut out = b"before".to_vec();
    out.extend_from_slice(text.as_bytes());
    quote(&mut out, 6);
    String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
}

fn from_utf16(units: &[u16]) -> String {
    let mut out = b"before".to_vec();
    push_utf16(&mut out, units);
    String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
}

#[test]
fn strings_are_quoted_as_stringify_does() {
    for (text, expected) in STRINGS {
        assert_eq!(quoted(text), expected);
        assert_eq!(from_utf16(&text.encode_utf16().collect::<Vec<_>>()), expected);
    }
}

#[test]
fn every_control_character_is_escaped_as_stringify_does() {
    let controls: String = (0..=0x20_u8).map(char::from).collect();
    assert_eq!(quoted(&controls), CONTROLS);
    assert_eq!(from_utf16(&controls.encode_utf16().collect::<Vec<_>>()), CONTROLS);
}

#[test]
fn lone_surrogates_are_escaped_and_pairs_are_not() {
    assert_eq!(from_utf16(&[0xD800]), r#""\ud800""#);
    assert_eq!(from_utf16(&[0xDFFF, 0xD800]), r#""\udfff\ud800""#);
    assert_eq!(from_utf16(&[0xD83D, 0xDE00]), "\"😀\"");
    assert_eq!(from_utf16(&[0xD83D, 0xD83D, 0xDE00, 0xDE00]), r#""\ud83d😀\ude00""#);
    assert_eq!(from_utf16(&[0x22, 0xDBFF, 0x0A, 0xE9]), r#""\"\udbff\né""#);
}

#[test]
fn a_lost_surrogate_is_suspected_only_where_the_replacement_stands() {
    assert!(may_have_lost("a\u{FFFD}".as_bytes()));
    assert!(!may_have_lost("é\u{FFFC}😀".as_bytes()));
    assert!(!may_have_lost(b""));
}

#[test]
fn numbers_are_written_as_stringify_does() {
    for (number, expected) in [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.0, "-1"),
        (0.1, "0.1"),
        (1.5, "1.5"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (123_456_789_012_345_680_000.0, "123456789012345680000"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (-1.5e-9, "-1.5e-9"),
        (9_007_199_254_740_991.0, "9007199254740991"),
        (9_007_199_254_740_992.0, "9007199254740992"),
        (-9_007_199_254_740_992.0, "-9007199254740992"),
        (9_007_199_254_740_994.0, "9007199254740994"),
        (9_223_372_036_854_775_807.0, "9223372036854776000"),
        (-9_223_372_036_854_775_808.0, "-9223372036854776000"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        (5e-324, "5e-324"),
        (f64::INFINITY, "null"),
        (f64::NEG_INFINITY, "null"),
        (f64::NAN, "null"),
    ] {
        let mut out = vec![b':'];
        push_number(&mut out, number);
        assert_eq!(String::from_utf8(out).unwrap(), format!(":{expected}"));
    }
}

#[test]
fn a_line_that_begins_and_ends_as_one_value_is_closed() {
    for line in ["{}", "[]", r#""""#, "{\"a\":1}", "1", "-1.5e+3", "true", "null", "undefined"] {
        assert!(is_closed(line.as_bytes()), "{line}");
    }
}

#[test]
fn a_line_that_might_swallow_its_neighbours_is_not_closed() {
    for line in
        ["", "{", "[", "\"", "}", "1,2", " 1", "1 ", "{}\r", "{]", "[}", "\"}", "1]", "[1],", ",", "1\0", "é"]
    {
        assert!(!is_closed(line.as_bytes()), "{line}");
    }
}

#[test]
fn texts_join_to_one_array() {
    let mut out = vec![];
    join(&mut out, [&b"1"[..], b"{}", b"\"a\""].into_iter());
    assert_eq!(out, b"[1,{},\"a\"]");
}
