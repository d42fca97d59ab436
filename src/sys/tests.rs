use super::adopt;

#[test]
fn a_number_that_is_not_an_open_descriptor_is_not_adopted() {
    for fd in [-1, i32::MIN, i32::MAX, 1 << 20] {
        assert_eq!(adopt(fd).unwrap_err().raw_os_error(), Some(libc::EBADF), "{fd}");
    }
}
