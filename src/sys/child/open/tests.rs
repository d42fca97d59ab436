use std::fs::File;
use std::os::fd::AsRawFd;

use super::*;

#[test]
fn a_list_and_probing_find_the_same() {
    // Other tests open and close descriptors meanwhile, but not these two.
    let file = File::open("/dev/null").unwrap();
    let copy = super::super::duplicate_above(file.as_raw_fd(), 600).unwrap();
    let copy = crate::sys::adopt(copy).unwrap();
    let fds = [file.as_raw_fd(), copy.as_raw_fd()];
    let (mut listed, mut probed) = (vec![], vec![]);
    visit_listed(&mut |fd| listed.push(fd)).unwrap();
    visit_probed(0, &mut |fd| probed.push(fd));
    for fd in fds {
        assert!(listed.contains(&fd) && probed.contains(&fd), "{fd} of {listed:?} and {probed:?}");
    }
    drop((file, copy));
}

#[test]
fn only_the_requested_range_is_visited() {
    let file = File::open("/dev/null").unwrap();
    let fd = file.as_raw_fd();
    let mut visited = vec![];
    for_each_open(fd, fd, |fd| visited.push(fd));
    assert_eq!(visited, [fd]);
}

#[test]
fn a_name_that_is_no_number_is_none() {
    assert_eq!((number(b"17\0x"), number(b".\0"), number(b"99999999999\0")), (Some(17), None, None));
}
