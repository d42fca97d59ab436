//! What may be put among others. The bytes are those of `v8.serialize` without the header.

use crate::channel::v8::is_plain;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

const PLAIN: [(&str, &str); 16] = [
    ("undefined", "5f"),
    ("[{}, {a: 1}]", "41026f7b006f22016149027b01240002"),
    ("new Map([[1, {a: 1}]])", "3b49026f22016149027b013a02"),
    ("new Set([1, 'b'])", "2749022201622c02"),
    ("new Date(1e12)", "44000000a2941a6d42"),
    ("123456789012345678901234567890n", "5a20d20a3f4eeee073c3f60fe98e01000000"),
    ("0n", "5a00"),
    ("-5n", "5a110500000000000000"),
    ("new Number(5)", "6e0000000000001440"),
    ("new Boolean(true)", "79"),
    ("new Boolean(false)", "78"),
    ("Object.assign([1], {x: 2})", "410149022201784904240101"),
    ("{1: 2}", "6f490249047b01"),
    ("Buffer.from('abc')", "5c000a03616263"),
    ("new Uint16Array([1, 2])", "5c00040401000200"),
    ("[new Float64Array([1.5])]", "41015c000808000000000000f83f240001"),
];

#[test]
fn what_stays_the_same_among_others_is_plain() {
    for (value, hex) in PLAIN {
        assert!(is_plain(&bytes(hex)), "{value}");
    }
}

#[test]
fn what_refers_to_objects_before_it_is_not() {
    for (value, hex) in [("a cycle", "6f22016f5e007b01"), ("[o, o]", "41026f7b005e01240002")] {
        assert!(!is_plain(&bytes(hex)), "{value}");
    }
}

#[test]
fn what_is_not_understood_is_left_to_the_engine() {
    for (value, hex) in [
        ("[, 1]", "610249024902400102"),
        ("an ArrayBuffer", "4203000000"),
        ("a RegExp", "5222016101"),
        ("a String object", "73220178"),
        ("an Error", "722e"),
        ("a host object that is no view", "5c016f7b00"),
        ("a host object of a kind to come", "5c020a03616263"),
        ("an array with a hole", "41012d240001"),
        ("a shared buffer", "7500"),
    ] {
        assert!(!is_plain(&bytes(hex)), "{value}");
    }
}

#[test]
fn what_is_cut_short_or_too_long_is_not() {
    for (value, hex) in PLAIN {
        let whole = bytes(hex);
        for end in 0..whole.len() {
            assert!(!is_plain(&whole[..end]), "{value} {end}");
        }
        for more in [b'0', 0, b'^', b'{'] {
            assert!(!is_plain(&[&whole[..], &[more]].concat()), "{value}");
        }
    }
}

#[test]
fn counts_that_are_wrong_are_noticed() {
    for hex in [
        "6f22016149027b02",
        "6f22016149027b00",
        "6f2201617b01",
        "4101490249022400 01",
        "4102490224000 2",
        "41014902240002",
        "3b49023a01",
        "3b490249023a01",
        "2749022c02",
        "2203 6161",
        "5c000a04616263",
        "41ffffffff0f",
    ] {
        assert!(!is_plain(&bytes(&hex.replace(' ', ""))), "{hex}");
    }
}

#[test]
fn numbers_without_an_end_are_none() {
    assert!(!is_plain(b"I"));
    assert!(!is_plain(b"I\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"));
    assert!(!is_plain(b"\"\xFF\xFF\xFF\xFF\x7F"));
    assert!(!is_plain(b"Z\xFF\xFF\xFF\xFF\x7F"));
}

#[test]
fn padding_is_part_of_what_follows_it() {
    assert!(is_plain(b"\0c\x02\0\x01"));
    assert!(is_plain(b"\0\0\x30"));
    assert!(!is_plain(b"\0"));
    assert!(!is_plain(b"\x30\0"));
}

#[test]
fn depth_is_bounded_whatever_comes() {
    let deep = |levels: usize| [b"o\"\x01a".repeat(levels), b"0".to_vec(), b"{\x01".repeat(levels)].concat();
    assert!(is_plain(&deep(63)));
    assert!(!is_plain(&deep(64)));
    assert!(!is_plain(&deep(1_000_000)));
    assert!(!is_plain(&vec![0; 1_000_000]));
    assert!(!is_plain(&b"A\x01".repeat(1_000_000)));
    assert!(!is_plain(&b";".repeat(1_000_000)));
}

/// Node reads as many bytes of a `BigInt` as its length says, be they whole digits or not.
#[test]
fn a_bigint_of_half_a_digit_is_measured_as_the_engine_measures_it() {
    assert!(is_plain(b"Z\x08\x01\x02\x03\x04"));
    // By whole digits it would be 0n and then a cut-short string.
    assert!(!is_plain(b"A\x02Z\x08\"\x02ab$\0\x02"));
}
