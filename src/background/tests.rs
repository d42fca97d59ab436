use std::sync::mpsc;

use super::*;

#[test]
fn the_function_is_called_when_a_task_panics() {
    let (sender, receiver) = mpsc::channel();
    let at_end = AtEnd::new(move || sender.send(()).unwrap());
    runtime().unwrap().spawn(async move {
        let _at_end = at_end;
        panic!("on purpose");
    });
    receiver.recv().unwrap();
}
