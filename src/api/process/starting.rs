//! Between the launch and the exec: the child is still in this process's memory, and some things have to
//! wait.

use std::io;
use std::mem;
use std::rc::Rc;
use std::time::Duration;

use super::{Child, Live};
use crate::launch::Exec;

/// Signals that dump core: before Linux 5.17 the dump of a child that still shares its parent's memory ends
/// the parent, so they wait for the exec.
const DUMPING: [i32; 9] = [
    libc::SIGQUIT,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGSEGV,
    libc::SIGXCPU,
    libc::SIGSYS,
];

/// What is delivered at once, whatever waits: the question whether it is there, and the signals that cannot
/// be caught or that a stopped child needs to go on to its exec.
const IMMEDIATE: [i32; 4] = [0, libc::SIGKILL, libc::SIGSTOP, libc::SIGCONT];

/// How long the event loop waits for an exec. Usually it takes less than one millisecond.
const PATIENCE: Duration = Duration::from_millis(10);

/// A child whose exec is not confirmed.
pub(super) struct Starting {
    exec: Exec,
    /// Whether somebody wants to hear of the exec.
    is_awaited: bool,
    /// Signals that wait for the exec, in order.
    signals: Vec<i32>,
}

impl Starting {
    pub fn unless_confirmed(exec: Exec) -> Option<Self> {
        let is_confirmed = exec.poll() == Some(Ok(()));
        (!is_confirmed).then(|| Self { exec, is_awaited: false, signals: vec![] })
    }

    /// Whether `signal` has to wait until the child has left this process's memory.
    fn keeps_back(&self, signal: i32) -> bool {
        let comes_later = DUMPING.contains(&signal) || !self.signals.is_empty();
        comes_later && !IMMEDIATE.contains(&signal) && self.exec.poll().is_none()
    }
}

impl Live {
    /// Delivers the signals that waited for the exec, once that is over.
    fn deliver(&mut self) {
        if let Some(starting) = &mut self.starting
            && starting.exec.poll().is_some()
        {
            for signal in mem::take(&mut starting.signals) {
                // It was told to have been sent.
                let _ = self.process.kill(signal);
            }
        }
    }

    fn is_to_be_looked_at(&self) -> bool {
        let waits = |starting: &Starting| starting.is_awaited || !starting.signals.is_empty();
        self.is_polled || self.starting.as_ref().is_some_and(waits)
    }
}

impl Child {
    /// Sends `signal`, after the exec where it must not come before.
    pub fn kill(self: &Rc<Self>, signal: i32) -> io::Result<()> {
        if self.is_kept_back(signal) {
            self.look_later();
        } else {
            let mut live = self.live.borrow_mut();
            let live = live.as_mut().ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))?;
            live.deliver();
            live.process.kill(signal)?;
        }
        if let Some(execution) = self.execution() {
            execution.set_killed();
        }
        Ok(())
    }

    fn is_kept_back(&self, signal: i32) -> bool {
        let mut live = self.live.borrow_mut();
        let Some(starting) = live.as_mut().and_then(|live| live.starting.as_mut()) else { return false };
        if !starting.keeps_back(signal) {
            return false;
        }
        // The others have waited already.
        let is_over = starting.signals.is_empty() && starting.exec.wait_for(PATIENCE).is_some();
        if !is_over {
            starting.signals.push(signal);
        }
        !is_over
    }

    /// Whether the exec is known to have succeeded. If it isn't known yet, the listener will be called when
    /// it is.
    pub fn await_exec(self: &Rc<Self>) -> bool {
        self.confirm_exec();
        match &mut *self.live.borrow_mut() {
            Some(Live { starting: Some(starting), .. }) => starting.is_awaited = true,
            Some(_) => return true,
            None => return false,
        }
        self.look_later();
        false
    }

    /// Takes in that the exec has succeeded, if that is known by now, and delivers the signals that waited
    /// for it. Gives the result, and whether somebody waits to hear of a success.
    fn confirm_exec(&self) -> (Option<Result<(), i32>>, bool) {
        let mut live = self.live.borrow_mut();
        let Some(live) = &mut *live else { return (None, false) };
        live.deliver();
        let Some(starting) = &live.starting else { return (None, false) };
        let result = starting.exec.poll();
        let is_awaited = starting.is_awaited && result == Some(Ok(()));
        if result == Some(Ok(())) {
            live.starting = None;
        }
        (result, is_awaited)
    }

    /// Takes in the result of the exec, if it is known by now, and tells whoever waits for it. A failed exec
    /// is told by the end of the child, which follows at once.
    pub fn poll_exec(&self) -> Option<Result<(), i32>> {
        let (result, is_awaited) = self.confirm_exec();
        if is_awaited {
            let _ = self.tell(c"onspawn", &[]);
        }
        result
    }

    /// Has [`Child::look`] called in a while where there is something to look for.
    pub(super) fn look_later(&self) {
        if let Some(live) = &mut *self.live.borrow_mut()
            && !live.is_timed
            && live.is_to_be_looked_at()
        {
            live.is_timed = true;
            self.reactor.call_after(&live.registration, live.backoff.next_wait());
        }
    }

    /// Looks whether the exec is over, and the process where nothing else tells of that.
    pub(super) fn look(&self) {
        self.poll_exec();
        if let Some(live) = &mut *self.live.borrow_mut() {
            live.is_timed = false;
            if live.is_polled && live.process.has_ended() {
                self.reactor.call_late(&live.registration);
                return;
            }
        }
        self.look_later();
    }
}
