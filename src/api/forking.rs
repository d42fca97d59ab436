//! Warns if children are forked because this system refuses the clone that shares memory.

use napi::{Env, Result};
use napi_derive::napi;
use nix::errno::Errno;

use crate::engine;
use crate::launch;
use crate::options::Context;

/// The code of the warning, by which a program can switch it off (`--disable-warning`).
const CODE: &str = "CHILD_PROCESS_RS_FORK";

/// How children are started: by `clone`, so that the child shares the memory of this process until its exec, or by
/// `fork`, which copies its page tables.
#[napi(catch_unwind, ts_return_type = "'clone' | 'fork'")]
pub fn launch_method() -> &'static str {
    launch::launch_method()
}

/// Emits the warning after a launch, once in a process. A failure to do so is ignored.
pub(super) fn warn(env: &Env) {
    if let Some(errno) = launch::take_refusal()
        && emit_warning(env, errno).is_err()
    {
        let _ = engine::take_exception(env);
    }
}

fn emit_warning(env: &Env, errno: i32) -> Result<()> {
    let message = format!(
        "child-process-rs: this system refuses a clone(2) that shares memory ({}), so children are forked, and the \
         more memory is in use, the longer spawn() takes",
        Errno::from_raw(errno)
    );
    let process = Context::new(env, None).process()?;
    let [message, kind, code] = [&message, "Warning", CODE].map(|text| engine::string(env, text.as_bytes()));
    engine::call_method(env, &process, c"emitWarning", [&message?, &kind?, &code?]).map(drop)
}
