//! The memory that a child and its parent share between clone and exec.
//!
//! Everything the child needs is built here before the clone. The child may run in it long after `launch`
//! returned, so a block in use is kept among the [`BUSY`] ones until the kernel has zeroed
//! [`Outcome::occupied`], which it does as the child execs or exits (`CLONE_CHILD_CLEARTID`).

use std::ffi::CString;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use libc::c_char;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect, munmap};

use super::environment::Environment;
use super::{Command, Stdio, Strings, inherited};
use crate::sys;

/// What is done for one descriptor of the child.
#[derive(Debug)]
pub(super) enum Slot {
    Null,
    Closed,
    /// From the parent's own descriptors: made blocking when it lands on 0, 1 or 2, as the builtin does it.
    /// The child moves a number that would be overwritten before its turn.
    Inherited(AtomicI32),
    Piped(AtomicI32),
}

/// What a child reads between clone and exec.
#[derive(Debug)]
pub(super) struct Block {
    /// What to try, in this order.
    pub paths: Vec<CString>,
    pub argv: Vec<*const c_char>,
    pub environment: Environment,
    /// `sh path args…`, for a file that the kernel does not know how to run, as `execvp(3)` does. The child
    /// puts the path in.
    pub shell_argv: Vec<AtomicPtr<c_char>>,
    pub cwd: Option<CString>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub detached: bool,
    pub slots: Vec<Slot>,
    /// Descriptors above the slots that are kept, in order.
    pub kept: &'static [RawFd],
    pub outcome: Arc<Outcome>,
    pub stack: Option<Stack>,
    _args: Strings,
}

// SAFETY: the pointers are into the block's own strings, and into the environment, which live as long as it
// and never change.
unsafe impl Send for Block {}

impl Block {
    /// The block, and the parent's copies of what is the child's alone, to be closed once the child is
    /// started.
    pub fn new(command: Command, paths: Vec<CString>, environment: Environment) -> (Box<Self>, Vec<OwnedFd>) {
        let argv = command.args.pointers();
        let mut childs = vec![];
        let slots = command
            .stdio
            .into_iter()
            .map(|stdio| match stdio {
                Stdio::Null => Slot::Null,
                Stdio::Closed => Slot::Closed,
                Stdio::Inherit(fd) => Slot::Inherited(fd.into()),
                Stdio::Pipe(fd) => {
                    let slot = Slot::Piped(fd.as_raw_fd().into());
                    childs.push(fd);
                    slot
                }
            })
            .collect();
        let script = [super::child::SHELL.as_ptr(), std::ptr::null()].into_iter();
        let arguments = argv.iter().skip(1).copied().chain([std::ptr::null()]);
        let block = Box::new(Self {
            shell_argv: script.chain(arguments).map(|argument| AtomicPtr::new(argument.cast_mut())).collect(),
            paths,
            argv,
            environment,
            cwd: command.cwd,
            uid: command.uid,
            gid: command.gid,
            detached: command.detached,
            slots,
            kept: inherited::list(),
            outcome: Arc::default(),
            stack: None,
            _args: command.args,
        });
        (block, childs)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if let Some(stack) = self.stack.take() {
            stack.give_back();
        }
    }
}

/// How the child left a block; the child writes it, parents read it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Not zero while a child runs in the block.
    pub(super) occupied: AtomicI32,
    /// The errno of what failed; zero while nothing has.
    pub(super) errno: AtomicI32,
}

impl Outcome {
    /// The result of the exec, if the child has left.
    pub(super) fn get(&self) -> Option<Result<(), i32>> {
        if self.occupied.load(Ordering::Acquire) != 0 {
            return None;
        }
        Some(match self.errno.load(Ordering::Relaxed) {
            0 => Ok(()),
            errno => Err(errno),
        })
    }

    /// Waits until the child has left, or until `deadline`.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> Option<Result<(), i32>> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let result = self.get();
            if result.is_some() || left == Some(Duration::ZERO) {
                return result;
            }
            sys::wait_while_set(&self.occupied, left);
        }
    }
}

/// Blocks that children may be in.
#[expect(clippy::vec_box, reason = "a child reads its block where it is")]
static BUSY: Mutex<Vec<Box<Block>>> = Mutex::new(vec![]);

/// Keeps a block for as long as its child is in it, and frees those whose children have left.
pub(super) fn keep_while_busy(block: Box<Block>) {
    let mut busy = BUSY.lock().unwrap_or_else(PoisonError::into_inner);
    busy.retain(|block| block.outcome.get().is_none());
    busy.push(block);
}

/// The stack of a child until it execs: a few frames of raw system calls, above a page that faults.
#[derive(Debug)]
pub(super) struct Stack {
    base: NonNull<libc::c_void>,
    length: NonZeroUsize,
}

// SAFETY: a stack is plain memory; whoever holds it owns it.
unsafe impl Send for Stack {}

/// What a child can use of it, at least, bytes.
const STACK: usize = 48 * 1024;
/// Stacks kept for the next launches: their pages are resident already.
const KEPT: usize = 16;
static FREE: Mutex<Vec<Stack>> = Mutex::new(vec![]);

impl Stack {
    /// # Errors
    /// `ENOMEM`.
    pub fn take() -> nix::Result<Self> {
        if let Some(stack) = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(stack);
        }
        let page = sys::page_size();
        let length = page.saturating_add(STACK.next_multiple_of(page.get()));
        // SAFETY: a fresh private mapping that touches nothing else; its lowest page becomes the guard.
        unsafe {
            let base = mmap_anonymous(
                None,
                length,
                ProtFlags::PROT_READ | ProtFlags::PROT_WRITE,
                MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE,
            )?;
            mprotect(base, page.get(), ProtFlags::PROT_NONE)?;
            Ok(Self { base, length })
        }
    }

    /// The end of the stack, where it starts growing down from.
    pub fn top(&self) -> *mut libc::c_void {
        // SAFETY: one past the end of the mapping.
        unsafe { self.base.as_ptr().byte_add(self.length.get()) }
    }

    pub fn give_back(self) {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT {
            free.push(self);
        } else {
            // SAFETY: nobody uses this mapping any more.
            let _ = unsafe { munmap(self.base, self.length.get()) };
        }
    }
}
