use super::*;

#[test]
fn numbers_have_their_usual_names() {
    assert_eq!(name(libc::SIGTERM), Some("SIGTERM"));
    assert_eq!(name(libc::SIGABRT), Some("SIGABRT"));
    assert_eq!(name(libc::SIGIO), Some("SIGIO"));
    assert_eq!(name(0), None);
    assert_eq!(name(64), None);
}

#[test]
fn aliases_name_the_same_number() {
    assert_eq!(number("SIGIOT"), number("SIGABRT"));
    assert_eq!(number("SIGNOPE"), None);
}
