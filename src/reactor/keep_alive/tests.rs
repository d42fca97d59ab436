use super::*;

#[derive(Default)]
struct Loop(Cell<i32>);

impl Retain for Loop {
    fn retain(&self) {
        self.0.set(self.0.get() + 1);
    }

    fn release(&self) {
        self.0.set(self.0.get() - 1);
    }
}

#[test]
fn the_loop_waits_for_what_is_referenced_and_once_only() {
    let event_loop = Rc::new(Loop::default());
    let keep_alive = KeepAlive::new(Rc::clone(&event_loop));
    assert_eq!(event_loop.0.get(), 0);
    keep_alive.set_referenced(true);
    keep_alive.set_referenced(true);
    keep_alive.set_work(Work::Pending);
    assert_eq!(event_loop.0.get(), 1);
    keep_alive.set_referenced(false);
    assert_eq!(event_loop.0.get(), 1);
    keep_alive.set_work(Work::Possible);
    assert_eq!(event_loop.0.get(), 0);
}

#[test]
fn the_loop_does_not_wait_for_what_is_over_or_gone() {
    let event_loop = Rc::new(Loop::default());
    let keep_alive = KeepAlive::new(Rc::clone(&event_loop));
    keep_alive.set_referenced(true);
    assert!(keep_alive.is_referenced());
    keep_alive.set_work(Work::Over);
    assert_eq!(event_loop.0.get(), 0);
    assert!(!keep_alive.is_referenced());
    let other = KeepAlive::new(Rc::clone(&event_loop));
    other.set_referenced(true);
    drop(other);
    assert_eq!(event_loop.0.get(), 0);
}
