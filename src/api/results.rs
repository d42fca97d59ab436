//! How JavaScript sees a process that has run: its exit, and the errors for failures.

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Env, Result, Unknown};

use crate::capture::Problem;
use crate::engine::{self, Piece};
use crate::options::{Context, is_nullish, signal};
use crate::sys::Exit;

/// An output as a string, whether it is one already or bytes.
pub(super) fn text_of<'a>(env: &'a Env, output: &Unknown<'a>) -> Result<Unknown<'a>> {
    match engine::with_bytes(env, output, |bytes| engine::string(env, bytes)) {
        Some(text) => text,
        None if is_nullish(output)? => engine::string(env, b""),
        None => Ok(*output),
    }
}

/// How a process has ended: its exit code or null, and the name of the signal that ended it or null.
pub(super) fn exit_values(env: &Env, exit: Option<Exit>) -> Result<[Unknown<'_>; 2]> {
    let null = engine::null(env)?;
    Ok(match exit {
        None => [null; 2],
        Some(Exit { code, signal: 0 }) => [engine::number(env, f64::from(code))?, null],
        // Real-time signals have no name in Node.
        Some(Exit { signal, .. }) => {
            [null, engine::string(env, signal::name(signal).unwrap_or_default().as_bytes())?]
        }
    })
}

/// The error for too much output or a failed system call; for other problems there is none.
pub(super) fn error_of<'a>(
    context: &Context<'a>,
    problem: Problem,
    program: &Program<'a>,
) -> Result<Option<Object<'a>>> {
    match problem {
        Problem::TooLong(1) => context.too_much_output("stdout"),
        Problem::TooLong(_) => context.too_much_output("stderr"),
        Problem::Failed { call: call @ ("spawn" | "wait"), errno } => program.failed(context, errno, call),
        Problem::Failed { call, errno } => errno_error(context, errno, &[Piece::Text(call)]),
        Problem::TimedOut => return Ok(None),
    }
    .map(Some)
}

/// The error for a command line that has failed and has written `stderr`.
pub(super) fn command_failed<'a>(
    env: &'a Env,
    command: Unknown<'a>,
    stderr: &Unknown<'a>,
    separator: &str,
) -> Result<Object<'a>> {
    let stderr = Piece::Value(text_of(env, stderr)?);
    error(env, &[Piece::Text("Command failed: "), Piece::Value(command), Piece::Text(separator), stderr])
}

/// An Error with this message.
fn error<'a>(env: &'a Env, message: &[Piece]) -> Result<Object<'a>> {
    engine::error(env, &engine::concat(env, message)?)?.coerce_to_object()
}

/// The error for a failed system call; `errno` is positive.
fn errno_error<'a>(context: &Context<'a>, errno: i32, call: &[Piece]) -> Result<Object<'a>> {
    let env = context.env;
    let name = context.errno_name(errno)?;
    let call = engine::concat(env, call)?;
    let mut error = error(env, &[Piece::Value(call), Piece::Text(" "), Piece::Text(&name)])?;
    error.set_c_named_property(c"errno", -errno)?;
    error.set_c_named_property(c"code", name)?;
    error.set_c_named_property(c"syscall", call)?;
    Ok(error)
}

/// The program that was to be started.
pub(super) struct Program<'a> {
    pub file: Unknown<'a>,
    /// `argv`, its zeroth entry included.
    pub words: Vec<Unknown<'a>>,
}

impl<'a> Program<'a> {
    /// The error for a `call` that has failed for it.
    pub fn failed(&self, context: &Context<'a>, errno: i32, call: &str) -> Result<Object<'a>> {
        let call = [Piece::Text(call), Piece::Text(" "), Piece::Value(self.file)];
        let mut error = errno_error(context, errno, &call)?;
        error.set_c_named_property(c"path", self.file)?;
        let args = self.words.get(1..).unwrap_or_default();
        error.set_c_named_property(c"spawnargs", engine::array(context.env, args)?)?;
        Ok(error)
    }
}

/// Copies the properties of an object to another, like `Object.assign`.
pub(super) fn assign(target: &mut Object, source: &Object) -> Result<()> {
    let names = source.get_property_names()?;
    for index in 0..names.get_array_length()? {
        let name: Unknown = names.get_element(index)?;
        target.set_property(name, source.get_property_unchecked::<_, Unknown>(name)?)?;
    }
    Ok(())
}

/// Throws if Node's permission model does not allow children.
pub(super) fn check_permitted(context: &Context, file: &Unknown) -> Result<()> {
    context.hook(c"checkPermitted", (*file,)).map(drop)
}
