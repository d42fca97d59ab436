use super::*;

fn interleaved(parts: &[(usize, &[u8])]) -> Vec<u8> {
    interleaved_as(true, parts)
}

fn interleaved_as(is_text: bool, parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut order = Order::default();
    let mut outputs = [vec![], vec![]];
    for (output, bytes) in parts {
        order.note(*output, bytes.len());
        outputs[*output].extend_from_slice(bytes);
    }
    order.interleave(&[&outputs[0], &outputs[1]], is_text)
}

#[test]
fn parts_stand_in_the_order_in_which_they_came() {
    assert_eq!(interleaved(&[]), b"");
    assert_eq!(interleaved(&[(0, b"a")]), b"a");
    assert_eq!(interleaved(&[(1, b"a"), (0, b"b"), (0, b"c"), (1, b"d")]), b"abcd");
}

#[test]
fn parts_of_one_output_in_a_row_are_one() {
    let mut order = Order::default();
    for (output, length) in [(0, 0), (1, 2), (1, 3), (0, 0), (0, 1)] {
        order.note(output, length);
    }
    assert_eq!(order.parts(), [Part { output: 1, length: 5 }, Part { output: 0, length: 1 }]);
}

#[test]
fn a_character_in_parts_stands_where_its_end_came() {
    assert_eq!(interleaved(&[(0, b"a\xC3"), (1, b"b"), (0, b"\xA4c")]), "abäc".as_bytes());
    let parts: [(usize, &[u8]); 6] =
        [(0, b"\xF0"), (1, b"1"), (0, b"\x9F"), (1, b"2"), (0, b"\x98"), (1, b"3")];
    assert_eq!(interleaved(&parts), b"123\xF0\x9F\x98");
    assert_eq!(interleaved(&[&parts[..], &[(0, b"\x80")]].concat()), "123😀".as_bytes());
}

#[test]
fn bytes_that_are_no_text_stand_where_they_came() {
    assert_eq!(interleaved_as(false, &[(0, b"a\xC3"), (1, b"b"), (0, b"\xA4c")]), b"a\xC3b\xA4c");
}

#[test]
fn bytes_that_are_no_text_all_come() {
    assert_eq!(interleaved(&[(0, b"\xFF\xFE"), (1, b"\x80"), (0, b"\xC3")]), b"\xFF\xFE\x80\xC3");
}

#[test]
fn an_output_that_was_cut_brings_no_more_than_it_has() {
    let mut order = Order::default();
    order.note(0, 10);
    order.note(1, 1);
    order.note(0, 10);
    assert_eq!(order.interleave(&[b"abc", b"d"], true), b"abcd");
    assert_eq!(order.interleave(&[], true), b"");
}
