//! What a process that has run to its end is to JavaScript: above all the errors that tell of a failure.

use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Env, Result, Unknown};

use crate::engine::{self, Piece};
use crate::options::{Context, is_nullish};

/// The text of an output, decoded or not.
pub(super) fn text_of<'a>(env: &'a Env, output: &Unknown<'a>) -> Result<Unknown<'a>> {
    match engine::with_bytes(env, output, |bytes| engine::string(env, bytes)) {
        Some(text) => text,
        None if is_nullish(output)? => engine::string(env, b""),
        None => Ok(*output),
    }
}

/// The names of a process's first descriptors.
pub(super) const NAMES: [&str; 3] = ["stdin", "stdout", "stderr"];

/// The error of a command, a line, that has failed and written `complaint`.
pub(super) fn command_failed<'a>(
    env: &'a Env,
    command: Unknown<'a>,
    complaint: &Unknown<'a>,
    separator: &str,
) -> Result<Object<'a>> {
    let complaint = Piece::Value(text_of(env, complaint)?);
    error(env, &[Piece::Text("Command failed: "), Piece::Value(command), Piece::Text(separator), complaint])
}

/// An Error with these words.
fn error<'a>(env: &'a Env, message: &[Piece]) -> Result<Object<'a>> {
    engine::error(env, &engine::concat(env, message)?)?.coerce_to_object()
}

/// A failed system call, with a positive errno.
pub(super) fn errno_error<'a>(context: &Context<'a>, errno: i32, call: &[Piece]) -> Result<Object<'a>> {
    let env = context.env;
    let name = context.errno_name(errno)?;
    let call = engine::concat(env, call)?;
    let mut error = error(env, &[Piece::Value(call), Piece::Text(" "), Piece::Text(&name)])?;
    error.set_c_named_property(c"errno", -errno)?;
    error.set_c_named_property(c"code", name)?;
    error.set_c_named_property(c"syscall", call)?;
    Ok(error)
}

/// What was to be started.
#[derive(Clone, Copy)]
pub(super) struct Started<'a> {
    pub file: Unknown<'a>,
    /// `argv`, its zeroth entry included.
    pub args: Unknown<'a>,
}

impl<'a> Started<'a> {
    /// `call` has failed for it.
    pub fn failed(&self, context: &Context<'a>, errno: i32, call: &str) -> Result<Object<'a>> {
        let call = [Piece::Text(call), Piece::Text(" "), Piece::Value(self.file)];
        let mut error = errno_error(context, errno, &call)?;
        error.set_c_named_property(c"path", self.file)?;
        let args = crate::options::normalize::elements(&self.args)?;
        error.set_c_named_property(
            c"spawnargs",
            engine::array(context.env, args.get(1..).unwrap_or_default())?,
        )?;
        Ok(error)
    }
}

/// Writes to an object what another has of its own, as `Object.assign` does.
pub(super) fn assign(target: &mut Object, source: &Object) -> Result<()> {
    let names = source.get_property_names()?;
    for index in 0..names.get_array_length()? {
        let name: Unknown = names.get_element(index)?;
        target.set_property(name, source.get_property_unchecked::<_, Unknown>(name)?)?;
    }
    Ok(())
}

/// Asks the host whether anything may be started, where Node's permission model is at work.
pub(super) fn check_permitted(context: &Context, file: &Unknown) -> Result<()> {
    context.hook(c"checkPermitted", (*file,)).map(drop)
}
