use std::sync::mpsc;

use super::*;

#[test]
fn the_end_of_a_task_that_panics_is_told() {
    let (sender, receiver) = mpsc::channel();
    let told = AtEnd::new(move || sender.send(()).unwrap());
    runtime().unwrap().spawn(async move {
        let _told = told;
        panic!("on purpose");
    });
    receiver.recv().unwrap();
}
