use crate::channel::counting::{Answer, Counting, Question};

const KEY: &str = "4:127.0.0.1:80";

#[test]
fn a_child_counts_the_sockets_of_each_server() {
    let mut counting = Counting::<()>::default();
    assert_eq!(counting.answer(KEY, Question::Count.command()), None);
    counting.opened(KEY);
    counting.opened(KEY);
    counting.opened("other");
    assert_eq!(counting.answer(KEY, Question::Count.command()), Some(Answer::Count(2)));
    assert_eq!(counting.closed(KEY), None);
    assert_eq!(counting.answer(KEY, Question::Count.command()), Some(Answer::Count(1)));
    assert_eq!(counting.answer(KEY, "NODE_OTHER"), None);
}

#[test]
fn the_last_socket_that_closes_is_told_to_who_waits_for_it() {
    let mut counting = Counting::<()>::default();
    counting.opened(KEY);
    assert_eq!(counting.answer(KEY, Question::Close.command()), None);
    counting.opened(KEY);
    assert_eq!(counting.closed(KEY), None);
    assert_eq!(counting.closed(KEY), Some(Answer::AllClosed));
    assert_eq!(counting.answer(KEY, Question::Close.command()), Some(Answer::AllClosed));
}

#[test]
fn an_answer_goes_to_all_who_have_asked_for_it() {
    let mut counting = Counting::default();
    assert!(counting.note_sent(KEY));
    assert!(!counting.note_sent(KEY));
    counting.ask(KEY, Question::Count, 1);
    counting.ask(KEY, Question::Close, 2);
    counting.ask(KEY, Question::Count, 3);
    assert_eq!(counting.take_askers("other", Answer::Count(0).command()), [0; 0]);
    assert_eq!(counting.take_askers(KEY, Answer::Count(0).command()), vec![1, 3]);
    assert_eq!(counting.take_all_askers(), vec![2]);
    assert_eq!(counting.take_all_askers(), [0; 0]);
}
