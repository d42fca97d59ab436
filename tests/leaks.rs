//! Launching leaves no resources behind. In its own process, so that other tests do not affect the count.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::fs;

use child_process_rs::launch::{self, Command, Stdio};
use child_process_rs::sys::Exit;

fn command() -> Command {
    Command {
        stdio: vec![Stdio::Null, Stdio::Null, Stdio::Null],
        ..Command::new(c"true".to_owned(), [&b"true"[..]].into_iter().collect())
    }
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn a_thousand_children_leave_nothing_behind() {
    launch::launch(command()).unwrap().process.wait_for_end().unwrap();
    let before = descriptors();
    for _ in 0..10 {
        let children: Vec<_> = (0..100).map(|_| launch::launch(command()).unwrap()).collect();
        for mut child in children {
            assert_eq!(child.process.wait_for_end(), Ok(Exit { code: 0, signal: 0 }));
        }
    }
    assert_eq!(descriptors(), before);
}
