use super::*;

#[test]
fn a_panic_is_an_error_with_its_message() {
    assert_eq!(caught(|| 7).unwrap(), 7);
    let number = 7;
    assert!(caught(|| panic!("in vain {number}")).unwrap_err().reason.ends_with("a bug: in vain 7"));
    assert!(caught(|| panic!("plainly")).unwrap_err().reason.ends_with("a bug: plainly"));
}
