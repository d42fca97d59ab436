use crate::channel::internal::{Reply, command, is_internal, may_be_among, may_be_in_serialized};

fn is_internal_json(text: &[u8]) -> bool {
    matches!(command(text), Ok(Some(_)))
}

fn check(text: &str, expected: bool) {
    assert_eq!(is_internal_json(text.as_bytes()), expected, "{text}");
    if expected {
        assert!(may_be_among(text.as_bytes()), "{text}");
    }
}

#[test]
fn an_object_whose_cmd_begins_with_the_prefix_and_goes_on_is_internal() {
    check(r#"{"cmd":"NODE_HANDLE"}"#, true);
    check(r#"{"cmd":"NODE_X"}"#, true);
    check(r#"{"cmd":"NODE_ "}"#, true);
    check(r#"{"cmd":"NODE_é"}"#, true);
    check(r#"{"a":{"cmd":"x"},"cmd":"NODE_X","z":[1,{"cmd":2}]}"#, true);
    check(" \t\r{ \"cmd\" : \"NODE_X\" } ", true);
}

#[test]
fn any_other_cmd_is_not() {
    check(r#"{"cmd":"NODE_"}"#, false);
    check(r#"{"cmd":"NODE"}"#, false);
    check(r#"{"cmd":""}"#, false);
    check(r#"{"cmd":"node_x"}"#, false);
    check(r#"{"cmd":" NODE_X"}"#, false);
    check(r#"{"cmd":"XNODE_X"}"#, false);
    check(r#"{"CMD":"NODE_X"}"#, false);
    check(r#"{"cmd ":"NODE_X"}"#, false);
    check(r#"{"cmdx":"NODE_X"}"#, false);
}

#[test]
fn a_cmd_that_is_no_string_is_not() {
    for cmd in ["1", "null", "true", r#"["NODE_X"]"#, r#"{"cmd":"NODE_X"}"#, "-1.5e3", "[]", "{}"] {
        check(&format!(r#"{{"cmd":{cmd},"s":"NODE_X"}}"#), false);
    }
}

#[test]
fn what_is_no_object_is_not() {
    for text in
        [r#""NODE_X""#, r#"["cmd","NODE_X"]"#, r#"[{"cmd":"NODE_X"}]"#, "null", "1", r#"{"s":"NODE_X"}"#]
    {
        check(text, false);
    }
}

#[test]
fn it_is_recognised_however_it_is_escaped() {
    check(r#"{"cmd":"\u004eODE_X"}"#, true);
    check(r#"{"cmd":"\u004EODE_X"}"#, true);
    check(r#"{"cmd":"N\u004fDE_X"}"#, true);
    check(r#"{"cmd":"NO\u0044E_X"}"#, true);
    check(r#"{"cmd":"NOD\u0045_X"}"#, true);
    check(r#"{"cmd":"NODE\u005fX"}"#, true);
    check(r#"{"cmd":"NODE_\u0058"}"#, true);
    check(r#"{"cmd":"NODE_\n"}"#, true);
    check(r#"{"cmd":"NODE_\ud83d\ude00"}"#, true);
    check(r#"{"\u0063md":"NODE_X"}"#, true);
    check(r#"{"c\u006dd":"NODE_X"}"#, true);
    check(r#"{"\u0063\u006d\u0064":"\u004e\u004f\u0044\u0045\u005f\u0058"}"#, true);
    check(r#"{"cmd":"\\u004eODE_X"}"#, false);
}

#[test]
fn of_several_cmds_the_last_counts() {
    check(r#"{"cmd":"x","cmd":"NODE_X"}"#, true);
    check(r#"{"cmd":"NODE_X","cmd":"x"}"#, false);
    check(r#"{"cmd":"NODE_X","cmd":null}"#, false);
    check(r#"{"cmd":{"a":[1]},"cmd":"NODE_X"}"#, true);
    check(r#"{"cmd":"NODE_X","\u0063md":"x"}"#, false);
    check(r#"{"cmd":"x","\u0063md":"NODE_X"}"#, true);
}

#[test]
fn what_does_not_parse_is_not() {
    for text in [
        "",
        "{",
        r#"{"cmd":"NODE_X""#,
        r#"{"cmd":"NODE_X"}}"#,
        r#"{"cmd":"NODE_X"} {}"#,
        r#"{"cmd":"NODE_X",}"#,
        r#"{cmd:"NODE_X"}"#,
        r"{'cmd':'NODE_X'}",
        r#"{"cmd":"NODE_X}"#,
        r#"{"cmd":"NODE_\x"}"#,
        "\u{FEFF}{\"cmd\":\"NODE_X\"}",
    ] {
        check(text, false);
    }
    assert!(!is_internal_json(b"\xFF{\"cmd\":\"NODE_X\"}"));
}

#[test]
fn depth_does_not_matter() {
    let deep = |count: usize| "[".repeat(count) + &"]".repeat(count);
    check(&format!(r#"{{"a":{},"cmd":"NODE_X"}}"#, deep(100_000)), true);
    check(&format!(r#"{{"cmd":"NODE_X","a":{}}}"#, deep(100_000)), true);
    check(&format!(r#"{{"cmd":{},"s":"NODE_X"}}"#, deep(100_000)), false);
    check(&format!(r#"["NODE_X",{}]"#, deep(100_000)), false);
    check(&("{\"NODE_X\":".repeat(100_000) + "1" + &"}".repeat(100_000)), false);
    check(&"[\"NODE_X\",".repeat(100_000), false);
}

#[test]
fn the_words_are_found_in_serialised_strings_of_either_width() {
    let wide: Vec<u8> = "xNODE_é".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(may_be_in_serialized(b"o\"\x03cmd\"\x06NODE_X{\x01"));
    assert!(may_be_in_serialized(&wide));
    assert!(!may_be_in_serialized(b"o\"\x03cmd\"\x05NODE-{\x01"));
}

#[test]
fn a_cmd_is_internal_by_its_prefix_and_something_more() {
    assert!(is_internal("NODE_X"));
    assert!(!is_internal("NODE_"));
    assert!(!is_internal("NODEX_"));
    assert!(!is_internal(""));
}

#[test]
fn a_builtin_end_is_told_of_handles_in_its_own_words() {
    assert_eq!(Reply::Acknowledged.to_json(), r#"{"cmd":"NODE_HANDLE_ACK"}"#);
    assert_eq!(Reply::NotReceived.to_json(), r#"{"cmd":"NODE_HANDLE_NACK"}"#);
}
