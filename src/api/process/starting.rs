//! Between the launch and the exec the child still shares this process's memory, and some things have to wait.

use std::io;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::{Child, Live};
use crate::launch::Exec;

/// Signals that dump core. They wait for the exec: before Linux 5.17 the core dump of a child that still shares its
/// parent's memory kills the parent.
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

/// These never wait: 0 only checks whether the process exists, and the others cannot be caught or let a stopped child
/// continue to its exec.
const IMMEDIATE: [i32; 4] = [0, libc::SIGKILL, libc::SIGSTOP, libc::SIGCONT];

/// How long a call waits for the exec before the signal is deferred. Usually an exec takes less than one millisecond.
const PATIENCE: Duration = Duration::from_millis(10);

/// A child whose exec is not confirmed.
pub(super) struct Starting {
    exec: Arc<Exec>,
    /// Whether `onspawn` has to be called after the exec.
    is_awaited: bool,
    /// Deferred signals, in order.
    signals: Vec<i32>,
}

impl Starting {
    pub fn unless_confirmed(exec: Arc<Exec>) -> Option<Self> {
        let is_confirmed = exec.poll() == Some(Ok(()));
        (!is_confirmed).then(|| Self { exec, is_awaited: false, signals: vec![] })
    }

    /// Whether `signal` has to wait until the child has left this process's memory.
    fn must_wait(&self, signal: i32) -> bool {
        let comes_later = DUMPING.contains(&signal) || !self.signals.is_empty();
        comes_later && !IMMEDIATE.contains(&signal) && self.exec.poll().is_none()
    }
}

impl Live {
    /// Delivers the deferred signals, if the exec is over.
    fn deliver(&mut self) {
        if let Some(starting) = &mut self.starting
            && starting.exec.poll().is_some()
        {
            for signal in mem::take(&mut starting.signals) {
                // The caller was told that it has been sent.
                let _ = self.process.kill(signal);
            }
        }
    }

    fn needs_polling(&self) -> bool {
        let waits = |starting: &Starting| starting.is_awaited || !starting.signals.is_empty();
        self.is_polled || self.starting.as_ref().is_some_and(waits)
    }
}

impl Child {
    /// Sends `signal`; after the exec if it must not come before.
    pub fn kill(self: &Rc<Self>, signal: i32) -> io::Result<()> {
        if self.is_deferred(signal) {
            self.poll_later();
        } else {
            let mut live = self.live.borrow_mut();
            let live = live.as_mut().ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))?;
            live.deliver();
            live.process.kill(signal)?;
        }
        if let Some(capture) = self.capture() {
            capture.set_killed();
        }
        Ok(())
    }

    fn is_deferred(&self, signal: i32) -> bool {
        let mut live = self.live.borrow_mut();
        let Some(starting) = live.as_mut().and_then(|live| live.starting.as_mut()) else { return false };
        if !starting.must_wait(signal) {
            return false;
        }
        // If others are deferred, the wait has been in vain once.
        let is_over = starting.signals.is_empty() && starting.exec.wait_for(PATIENCE).is_some();
        if !is_over {
            starting.signals.push(signal);
        }
        !is_over
    }

    /// Whether the exec is known to have succeeded. If that is not known yet, `onspawn` will be called when it is.
    pub fn await_exec(self: &Rc<Self>) -> bool {
        self.confirm_exec();
        match &mut *self.live.borrow_mut() {
            Some(Live { starting: Some(starting), .. }) => starting.is_awaited = true,
            Some(_) => return true,
            None => return false,
        }
        self.poll_later();
        false
    }

    /// Checks whether the exec is over, and then delivers the deferred signals. Returns its result, and whether
    /// `onspawn` has to be called.
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

    /// The result of the exec, if it is over. Calls `onspawn` if that is due. If the exec has failed, the child exits
    /// at once, and its exit reports the failure.
    pub fn poll_exec(&self) -> Option<Result<(), i32>> {
        let (result, is_awaited) = self.confirm_exec();
        if is_awaited {
            let _ = self.call_method(c"onspawn", &[]);
        }
        result
    }

    /// Has [`Child::poll`] called in a while, if anything must be polled for.
    pub(super) fn poll_later(&self) {
        if let Some(live) = &mut *self.live.borrow_mut()
            && !live.is_timed
            && live.needs_polling()
        {
            live.is_timed = true;
            self.reactor.call_after(&live.registration, live.backoff.next_wait());
        }
    }

    /// Checks whether the exec is over, and, if nothing else reports that, whether the process has exited.
    pub(super) fn poll(&self) {
        self.poll_exec();
        if let Some(live) = &mut *self.live.borrow_mut() {
            live.is_timed = false;
            if live.is_polled && live.process.has_ended() {
                self.reactor.call_late(&live.registration);
                return;
            }
        }
        self.poll_later();
    }
}
