//! The memory that a child and its parent share between clone and exec.
//!
//! Everything the child needs is built here before the clone. The child may use it long after `launch` has returned,
//! so a block in use is kept in [`BUSY`] until the kernel has set [`Exec::occupied`] to zero, which it does when the
//! child execs or exits (`CLONE_CHILD_CLEARTID`).

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

/// What the child does for one of its descriptors.
#[derive(Debug)]
pub(super) enum Slot {
    Null,
    Closed,
    /// A copy of one of the parent's descriptors. As with the builtin, it is made blocking if it becomes 0, 1 or 2.
    /// Before the child places descriptors, it duplicates those that would be overwritten, and stores the new number
    /// here.
    Inherited(AtomicI32),
    Piped(AtomicI32),
}

/// Everything a child reads between clone and exec.
#[derive(Debug)]
pub(super) struct Block {
    /// The paths to try, in this order.
    pub paths: Vec<CString>,
    pub argv: Vec<*const c_char>,
    pub environment: Environment,
    /// `sh path args…`, for a script without an interpreter line, as in `execvp(3)`. The child inserts the path.
    pub shell_argv: Vec<AtomicPtr<c_char>>,
    pub cwd: Option<CString>,
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    pub detached: bool,
    pub slots: Vec<Slot>,
    /// Descriptors above the slots that the child inherits, in ascending order.
    pub kept: &'static [RawFd],
    pub exec: Arc<Exec>,
    pub stack: Option<Stack>,
    _args: Strings,
}

// SAFETY: the pointers point into the block's own strings and into the environment. These live as long as the block
// and never change.
unsafe impl Send for Block {}

impl Block {
    /// Returns the block, and the parent's copies of descriptors that only the child needs. The caller closes these
    /// once the child has started.
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
            exec: Arc::default(),
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

/// The exec of a child, which may still be pending. The child and the kernel write it, the parent reads it.
#[derive(Debug, Default)]
pub struct Exec {
    /// Not zero while a child uses the block.
    pub(super) occupied: AtomicI32,
    /// The errno of the step that failed; zero if none has.
    pub(super) errno: AtomicI32,
}

impl Exec {
    /// An exec that is over.
    pub(super) fn over(errno: i32) -> Arc<Self> {
        Arc::new(Self { occupied: AtomicI32::new(0), errno: AtomicI32::new(errno) })
    }

    /// The result; the error is the positive errno of the step that failed. `None`: the child still shares our memory.
    #[must_use]
    pub fn poll(&self) -> Option<Result<(), i32>> {
        if self.occupied.load(Ordering::Acquire) != 0 {
            return None;
        }
        Some(match self.errno.load(Ordering::Relaxed) {
            0 => Ok(()),
            errno => Err(errno),
        })
    }

    /// Waits for the result.
    ///
    /// # Errors
    /// The positive errno of the step that failed in the child.
    pub fn wait(&self) -> Result<(), i32> {
        loop {
            if let Some(result) = self.poll() {
                return result;
            }
            sys::wait_while_set(&self.occupied, None);
        }
    }

    /// Waits for the result, for at most `timeout`.
    #[must_use]
    pub fn wait_for(&self, timeout: Duration) -> Option<Result<(), i32>> {
        let deadline = Instant::now() + timeout;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let result = self.poll();
            if result.is_some() || left.is_zero() {
                return result;
            }
            sys::wait_while_set(&self.occupied, Some(left));
        }
    }
}

/// The blocks that children may be using.
#[expect(clippy::vec_box, reason = "a block must not move while a child reads it")]
static BUSY: Mutex<Vec<Box<Block>>> = Mutex::new(vec![]);

/// Keeps a block as long as its child uses it, and frees the blocks whose children have left.
pub(super) fn keep_while_busy(block: Box<Block>) {
    let mut busy = BUSY.lock().unwrap_or_else(PoisonError::into_inner);
    busy.retain(|block| block.exec.poll().is_none());
    busy.push(block);
}

/// The stack of a child until it execs, with a guard page below.
#[derive(Debug)]
pub(super) struct Stack {
    base: NonNull<libc::c_void>,
    length: NonZeroUsize,
}

// SAFETY: plain memory with a single owner.
unsafe impl Send for Stack {}

/// The usable size of a stack, bytes. It is rounded up to whole pages.
const STACK: usize = 48 * 1024;
/// How many unused stacks are kept for later launches; their pages are already resident.
const MAX_FREE: usize = 16;
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
        let (protection, flags) =
            (ProtFlags::PROT_READ | ProtFlags::PROT_WRITE, MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE);
        // SAFETY: a fresh private mapping that touches nothing else; its lowest page becomes the guard.
        unsafe {
            let stack = Self { base: mmap_anonymous(None, length, protection, flags)?, length };
            match mprotect(stack.base, page.get(), ProtFlags::PROT_NONE) {
                Ok(()) => Ok(stack),
                Err(errno) => {
                    stack.unmap();
                    Err(errno)
                }
            }
        }
    }

    /// The upper end of the stack, from which it grows downwards.
    pub fn top(&self) -> *mut libc::c_void {
        // SAFETY: one past the end of the mapping.
        unsafe { self.base.as_ptr().byte_add(self.length.get()) }
    }

    pub fn give_back(self) {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < MAX_FREE {
            free.push(self);
        } else {
            self.unmap();
        }
    }

    fn unmap(self) {
        // SAFETY: this mapping is no longer used.
        let _ = unsafe { munmap(self.base, self.length.get()) };
    }
}
